/* One row of a table of options (struct hubbub_option): its field, read from a text, written as
 * one, compared, as JSON, and what the help says of it.
 *
 * A row knows only its own field in an object; which rows there are, and where their texts come
 * from, is the table's. */
#ifndef HUBBUB_START_ROW_H
#define HUBBUB_START_ROW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "master/server.h"

/* Reads text into the row's field of object, which borrows it; NULL is a flag that is given. A list
 * gets one more item. Returns true, or false with what is wrong, to follow the option's name: "'x'
 * is not ...". */
bool row_read(
	const struct hubbub_option *row, void *object, const char *text, char *why, size_t size);

/* The field as a text that row_read takes; of a flag that is off, of a list and of a call "".
 * Returns text. */
const char *row_write(const struct hubbub_option *row, const void *object, char *text, size_t size);

/* Whether the fields of two objects say the same; always of a call. */
bool row_is_same(const struct hubbub_option *row, const void *a, const void *b);

/* The field: a choice as its word, which another program may have at another index; null of a
 * string that is not set, and of a call; an array of bytes of a string that is no UTF-8. A new
 * reference, or NULL without memory. */
json_t *row_json(const struct hubbub_option *row, const void *object);

/* What --help says: the text, then the default, notes and range in parentheses. */
void row_help(const struct hubbub_option *row, char *text, size_t size);

/* What is wrong with the row itself, to follow its name, or NULL: a mistake of who wrote it. */
const char *row_fault(const struct hubbub_option *row, bool has_object);

#endif
