/* Log lines as JSON (hub/base/log.h). */
#ifndef HUBBUB_SAY_LOG_JSON_H
#define HUBBUB_SAY_LOG_JSON_H

#include <stddef.h>

/* Writes one log record as a JSON object and a newline into line, at most size bytes, without a
 * terminating NUL. Returns its length. To be passed to log_json_by. */
int log_json_line(char *line, size_t size, const char *when, const char *level, const char *program,
	const char *message);

#endif
