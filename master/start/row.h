/* One row of a table of options (struct hubbub_option): reading its field from a text, writing it
 * as a text and as JSON, comparing it, and its line in the help.
 *
 * A row knows only its own field in an object. The table knows which rows there are, and where
 * their texts come from. */
#ifndef HUBBUB_START_ROW_H
#define HUBBUB_START_ROW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "master/server.h"

/* Reads text into the row's field of object. Strings and lists borrow text; a list gets it as one
 * more item; NULL turns a flag on. Returns true, or false with a phrase in why that follows the
 * option's name: "'x' is not ...". */
bool row_read(
	const struct hubbub_option *row, void *object, const char *text, char *why, size_t size);

/* Writes the field as a text that row_read accepts; "" for a flag that is off, a list and a call.
 * Returns text. */
const char *row_write(const struct hubbub_option *row, const void *object, char *text, size_t size);

/* Whether the row's fields of two objects have the same value; always true for a call. */
bool row_is_same(const struct hubbub_option *row, const void *a, const void *b);

/* Returns the field as JSON. A choice is its word, because another program may have the word at
 * another index. A string is as bytes_json writes it; a string that is not set, and a call, are
 * null. The caller owns the reference; NULL if out of memory. */
json_t *row_json(const struct hubbub_option *row, const void *object);

/* Writes the row's text in --help: its help, and in parentheses the default, the note and the
 * range. */
void row_help(const struct hubbub_option *row, char *text, size_t size);

/* Returns a static phrase that follows the option's name, if the row itself is wrong: a mistake in
 * the program. NULL if it is sound. has_object: the row's part has an object. */
const char *row_fault(const struct hubbub_option *row, bool has_object);

#endif
