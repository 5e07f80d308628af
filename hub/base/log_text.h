/* A log line as text: the message, then name=value for each field. */
#ifndef HUBBUB_BASE_LOG_TEXT_H
#define HUBBUB_BASE_LOG_TEXT_H

#include "hub/base/inside.h"
#include "hub/base/log_entry.h"

/* Writes an entry's message and fields, without time, level and newline, and without a terminating
 * NUL. What does not belong on a line (control characters, bytes that are not UTF-8, characters
 * that move what is beside them) becomes \n, \r, \t or \xHH, so that no text can begin a line of
 * its own; a value that has blanks, quotes, '=' or such characters is quoted, and in quotes " and \
 * stand behind a \. Each text is cut to most bytes, at a character, with LOG_CUT behind it. Returns
 * the length, or a number above size if the whole is longer. */
size_t log_text(char *text, size_t size, size_t most, const struct log_entry *entry)
	HUB_INSIDE(log_text);

/* How many of the length bytes are in a text that is cut to most bytes, between two characters. */
size_t log_cut(const char *text, size_t length, size_t most) HUB_INSIDE(log_cut);

#endif
