/* Log lines as JSON (hub/base/log.h). */
#ifndef HUBBUB_SAY_LOG_JSON_H
#define HUBBUB_SAY_LOG_JSON_H

#include <stddef.h>

/* For log_json_by. */
int log_json_line(char *line, size_t size, const char *when, const char *level, const char *program,
	const char *message);

#endif
