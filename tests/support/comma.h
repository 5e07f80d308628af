/* A locale whose numbers have a decimal comma. */
#ifndef HUBBUB_TESTS_COMMA_H
#define HUBBUB_TESTS_COMMA_H

#include <stdbool.h>

/* Makes the locale, since few machines have one, and sets it for the process. Returns whether that
 * could be done: it needs localedef, and what that makes locales of. */
bool comma_begin(void);

/* Removes its files. */
void comma_end(void);

#endif
