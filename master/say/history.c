/* A ring of the HISTORY_KEPT newest notes: note number n lies at (n - 1) % HISTORY_KEPT. Only the
 * master's thread touches it, so there is no lock. */
#include "master/say/history.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static struct event_note ring[HISTORY_KEPT];
static uint64_t noted; /* the number of the newest note; 0 before the first */

void
history_note(enum log_level level, const char *format, ...)
{
	struct event_note *note = &ring[noted % HISTORY_KEPT];
	va_list arguments;

	note->number = ++noted;
	note->time = time(NULL);
	note->level = level;
	va_start(arguments, format);
	vsnprintf(note->text, sizeof note->text, format, arguments);
	va_end(arguments);
	log_write(level, "%s", note->text);
}

const struct event_note *
history_newest(unsigned index)
{
	if (index >= HISTORY_KEPT || index >= noted)
		return NULL;
	return &ring[(noted - 1 - index) % HISTORY_KEPT];
}
