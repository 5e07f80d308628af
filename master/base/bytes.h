/* Text that need not be UTF-8, such as the path of a file, as JSON that is read again, and is then
 * the same byte by byte. */
#ifndef HUBBUB_MASTER_BASE_BYTES_H
#define HUBBUB_MASTER_BASE_BYTES_H

#include <jansson.h>
#include <stddef.h>

/* A string, or an array of bytes if it is no UTF-8; null of NULL. A new reference, or NULL without
 * memory. */
json_t *bytes_json(const char *text);

/* The text that bytes_json was given, cut off at size; "" of anything else. Returns text. */
char *bytes_read(const json_t *json, char *text, size_t size);

#endif
