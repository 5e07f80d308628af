/* One text of a fixed size, to which events are appended. */
#include "tests/support/trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char text[4096];

void
trace_say(const char *format, ...)
{
	char event[256];
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(event, sizeof event, format, arguments);
	va_end(arguments);
	snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? ", " : "", event);
}

long
trace_call(const char *name, long result)
{
	const char *error = errno != 0 ? strerrorname_np(errno) : NULL;

	if (result == -1 && error != NULL)
		trace_say("%s %s", name, error);
	else
		trace_say("%s %ld", name, result);
	return result;
}

bool
trace_whether(const char *what, bool is_so)
{
	trace_say("%s%s", is_so ? "" : "not ", what);
	return is_so;
}

const char *
trace_text(void)
{
	return text;
}
