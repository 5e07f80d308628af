/* What is on the screen during a run: on a terminal a panel of four lines, repainted in place;
 * elsewhere, and with --plain, a line for each interval. All of it goes to stderr. */
#ifndef HUBBUB_LOAD_PANEL_H
#define HUBBUB_LOAD_PANEL_H

#include "tests/load/show/watcher.h"

#define PANEL_HISTORY 64

struct panel {
	bool is_live; /* on a terminal */
	bool is_quiet;
	bool is_utf8;
	bool is_painted; /* its lines are on the screen */
	unsigned history_count;
	int64_t history[PANEL_HISTORY]; /* p99 of the last intervals */
};

/* Makes a panel for stderr, and the watcher that feeds it, which borrows it. */
struct watcher panel_watcher(struct panel *panel, const struct load *load);

/* Takes it off the screen, at the end of a run. */
void panel_clear(struct panel *panel);

#endif
