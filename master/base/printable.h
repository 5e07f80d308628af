/* Text that came from outside, such as the path of a file, need not be UTF-8; what is printed as
 * JSON has to be. */
#ifndef HUBBUB_MASTER_BASE_PRINTABLE_H
#define HUBBUB_MASTER_BASE_PRINTABLE_H

#include <jansson.h>
#include <stddef.h>

/* The text as a string for people to read: each byte that is no UTF-8 is written as \xHH. A new
 * reference, or NULL without memory. */
json_t *printable_json(const char *text);

/* The same as one line, in which a control character is a space, and of which only whole
 * characters are left where size bytes are too few. */
void printable_line(const char *text, char *line, size_t size);

#endif
