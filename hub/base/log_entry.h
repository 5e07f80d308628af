/* What a log line says, before it is text or JSON. */
#ifndef HUBBUB_BASE_LOG_ENTRY_H
#define HUBBUB_BASE_LOG_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVEL_MAX };

/* A named value of a line. The value is any bytes; is_number: it was printed as a number. */
struct log_field {
	const char *name;
	size_t name_length;
	const char *value;
	size_t length;
	bool is_number;
};

/* What a line says. The message is any bytes. */
struct log_entry {
	enum log_level level;
	int pid; /* of the process that says it; 0: this one */
	const char *message;
	size_t length;
	const struct log_field *fields; /* the caller's own */
	size_t field_count;
	const struct log_field
		*context; /* from where the line is; each name is one of this log's */
	size_t context_count;
	bool is_beside; /* for a file beside the log: with time and name, whatever the log is */
};

/* Stands behind a text that is cut, because the whole line would be longer. */
#define LOG_CUT "..."

#endif
