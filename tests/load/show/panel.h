/* The display during a run: on a terminal a panel, repainted in place; elsewhere, and
 * with --plain, a line for each interval. All of it goes to stderr. */
#ifndef HUBBUB_LOAD_PANEL_H
#define HUBBUB_LOAD_PANEL_H

#include "tests/load/show/watcher.h"

#define PANEL_HISTORY 64

struct panel {
	bool is_live;                   /* the panel is shown; else lines */
	bool is_quiet;                  /* nothing is shown */
	bool is_utf8;                   /* the locale allows block characters */
	unsigned rows;                  /* on the screen, above the cursor */
	unsigned history_count;         /* intervals so far, also those beyond PANEL_HISTORY */
	int64_t history[PANEL_HISTORY]; /* p99 of the last intervals, nanoseconds; a ring */
};

/* Initialises panel for stderr. Returns the watcher that feeds it and borrows it. */
struct watcher panel_watcher(struct panel *panel, const struct load *load);

/* Removes the panel from the screen, at the end of a run. */
void panel_clear(struct panel *panel);

#endif
