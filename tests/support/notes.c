/* Notes are kept in one buffer, which is larger than what any test notes; should it be full, the
 * end is cut off, so that no comparison succeeds. */
#include "tests/support/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char notes[4096], last[sizeof notes];

void
note(const char *format, ...)
{
	size_t length = strlen(notes);
	va_list arguments;

	length += (size_t)snprintf(
		notes + length, sizeof notes - length, "%s", length > 0 ? ", " : "");
	if (length >= sizeof notes)
		return;
	va_start(arguments, format);
	vsnprintf(notes + length, sizeof notes - length, format, arguments);
	va_end(arguments);
}

void
note_result(const char *name, long result, int error)
{
	if (result == -1 && error != 0)
		note_error(name, error);
	else
		note("%s %ld", name, result);
}

void
note_error(const char *name, int error)
{
	note("%s %s", name, error == 0 ? "0" : strerrorname_np(error));
}

const char *
noted(void)
{
	memcpy(last, notes, sizeof last);
	notes[0] = '\0';
	return last;
}
