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

void
trace_error(const char *name, int error)
{
	const char *known = error != 0 ? strerrorname_np(error) : NULL;

	if (known != NULL)
		trace_say("%s %s", name, known);
	else
		trace_say("%s %d", name, error);
}

long
trace_call(const char *name, long result)
{
	if (result == -1)
		trace_error(name, errno);
	else
		trace_say("%s %ld", name, result);
	return result;
}

void *
trace_pointer(const char *name, void *result)
{
	if (result == NULL)
		trace_error(name, errno);
	else
		trace_say("%s", name);
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

const char *
trace_take(void)
{
	static char taken[sizeof text];

	memcpy(taken, text, sizeof taken);
	text[0] = '\0';
	return taken;
}
