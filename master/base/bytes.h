/* Text that need not be UTF-8, such as the path of a file, written as JSON and read back byte for
 * byte. */
#ifndef HUBBUB_MASTER_BASE_BYTES_H
#define HUBBUB_MASTER_BASE_BYTES_H

#include <jansson.h>
#include <stddef.h>

/* Returns the text as a JSON string, or as an array of bytes if it is not valid UTF-8, or as null
 * if text is NULL. The caller owns the reference; NULL if out of memory. */
json_t *bytes_json(const char *text);

/* Writes the text that bytes_json was given, cut off at size bytes with the terminating NUL; "" if
 * json is anything else. Returns text. */
char *bytes_read(const json_t *json, char *text, size_t size);

#endif
