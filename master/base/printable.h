/* Text for people that came from outside, such as the path of a file: it need not be UTF-8, but
 * JSON must be. What is shown cannot always be turned back; bytes.h has the form that can. */
#ifndef HUBBUB_MASTER_BASE_PRINTABLE_H
#define HUBBUB_MASTER_BASE_PRINTABLE_H

#include <jansson.h>
#include <stddef.h>

/* Returns the text as a JSON string in which each byte that is not valid UTF-8 is written as \xHH.
 * The caller owns the reference; NULL if out of memory. */
json_t *printable_json(const char *text);

/* The same, of so many bytes; a NUL among them is written as \x00, which more readers of JSON take
 * than \u0000. */
json_t *printable_json_of(const char *text, size_t length);

/* Writes the same text as one line of at most size bytes with the terminating NUL: control
 * characters become spaces, and a text that is too long is cut between two characters. "" if out of
 * memory. */
void printable_line(const char *text, char *line, size_t size);

#endif
