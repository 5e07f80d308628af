/* The words of a log line's format: which of them are fields, and what all of them print. */
#ifndef HUBBUB_WORKER_LOG_WORDS_H
#define HUBBUB_WORKER_LOG_WORDS_H

#include <stdarg.h>
#include <stddef.h>

#include "hub/base/log_entry.h"

#define LOG_WORDS_FIELDS 16
#define LOG_WORDS_MESSAGE 1024 /* bytes */
#define LOG_WORDS_VALUES 2048  /* bytes, of all values */

/* What a format and its arguments have printed. The names lie in the format. */
struct log_words {
	char message[LOG_WORDS_MESSAGE];
	size_t length;
	char values[LOG_WORDS_VALUES];
	size_t used;
	struct log_field fields[LOG_WORDS_FIELDS];
	size_t field_count;
};

/* Prints the words of the format (log.h), with the errno of the call for %m. What finds no room is
 * cut, and ends with LOG_CUT. The arguments are used up. */
void log_words(struct log_words *words, const char *format, va_list arguments);

#endif
