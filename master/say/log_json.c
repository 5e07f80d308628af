/* jansson writes straight into the log's line. Text that is not UTF-8 is escaped (printable.h),
 * because a line that a collector cannot parse would be lost whole. */
#include "master/say/log_json.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "master/base/printable.h"

int
log_json_line(char *line, size_t size, const char *when, const char *level, const char *program,
	const char *message)
{
	json_t *object = json_pack("{s:s, s:s, s:o, s:i, s:o}", "time", when, "level", level,
		"program", printable_json(program), "pid", (int)getpid(), "message",
		printable_json(message));
	int length = -1;

	if (object != NULL) {
		length = (int)json_dumpb(object, line, size - 1, JSON_COMPACT);
		json_decref(object);
	}
	/* The object is longer than the line, or memory ran out: a valid line, but without the
	 * text. */
	if (length <= 0 || length > (int)size - 1)
		length = snprintf(
			line, size, "{\"level\":\"%s\",\"message\":\"(unprintable)\"}", level);
	line[length] = '\n';
	return length + 1;
}
