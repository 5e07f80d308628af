/* What has happened lately: each event is logged, and the newest are kept for status and the live
 * page. */
#ifndef HUBBUB_SAY_HISTORY_H
#define HUBBUB_SAY_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "hub/base/log.h"

#define HISTORY_KEPT 64
#define HISTORY_TEXT_SIZE 320

/* One event, written by history_note alone. */
struct event_note {
	uint64_t number; /* counts all events of this master, from 1 */
	int64_t time;    /* seconds since the epoch */
	enum log_level level;
	char text[HISTORY_TEXT_SIZE];
};

/* Keeps a line whatever the log level is, and logs it if the level lets it through. Cut off at
 * HISTORY_TEXT_SIZE. Master's thread only. */
void history_note(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns the newest event (index 0), the one before it (1), and so on; NULL if fewer are kept.
 * Valid until the next history_note. */
const struct event_note *history_newest(unsigned index);

#endif
