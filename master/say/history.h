/* What has happened lately: kept for the status page, and logged. */
#ifndef HUBBUB_SAY_HISTORY_H
#define HUBBUB_SAY_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "hub/base/log.h"

#define HISTORY_KEPT 64
#define HISTORY_TEXT_SIZE 320

struct event_note {
	uint64_t number; /* from 1; 0 for none */
	int64_t time;    /* seconds since the epoch */
	enum log_level level;
	char text[HISTORY_TEXT_SIZE];
};

/* Logs a line, and keeps it, whatever the log level. Master's thread only. */
void history_note(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The i-th newest, from 0; NULL if there are not so many. */
const struct event_note *history_newest(unsigned index);

#endif
