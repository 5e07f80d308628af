/* Log lines as JSON (hub/base/log.h). */
#ifndef HUBBUB_SAY_LOG_JSON_H
#define HUBBUB_SAY_LOG_JSON_H

#include <stddef.h>

#include "hub/base/log.h"

/* Writes an entry as a JSON object and a newline, as log_line_fn says: time, level, program, pid,
 * message, then the context by its own names, and the fields in an object "fields", so that no
 * field can take the place of another key. A value that was printed as a number, and is one in
 * JSON, is a number. To be passed to log_json_by. */
size_t log_json_line(char *line, size_t size, size_t most, const char *when, const char *program,
	const struct log_entry *entry);

#endif
