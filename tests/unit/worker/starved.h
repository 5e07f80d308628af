/* A hub in which no coroutine can be made. Not with a sanitizer, which cannot be without memory. */
#ifndef HUBBUB_TESTS_UNIT_WORKER_STARVED_H
#define HUBBUB_TESTS_UNIT_WORKER_STARVED_H

#include <stdbool.h>

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define STARVED_IS_POSSIBLE
#endif

/* From now on there is no memory for another coroutine. The calling coroutine's hub only. Returns
 * whether it is so. */
bool starved_begin(void);

/* There is again. */
void starved_end(void);

#endif
