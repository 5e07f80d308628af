/* Running a load: generator processes are forked, watched and measured by their parent, which sends
 * and receives nothing itself. */
#ifndef HUBBUB_LOAD_RUN_H
#define HUBBUB_LOAD_RUN_H

#include "tests/load/result.h"

/* Where a run is, for whoever shows it. */
struct progress {
	const struct load *load;
	unsigned run;   /* counted from 0 */
	double elapsed; /* seconds of the window; below 0: of the warm-up before it */
	double total;   /* seconds of the window; 0: not known (a count of messages) */
	const struct measurement *whole;  /* so far */
	const struct measurement *recent; /* since the last interval's end */
};

/* Who is told of a run; any may be NULL. They must not block for long. */
struct watcher {
	void (*connecting)(const struct progress *progress, void *context); /* ten times a second */
	void (*started)(const struct progress *progress, void *context);
	void (*frame)(const struct progress *progress, void *context); /* some times a second */
	void (*interval)(
		const struct interval *interval, const struct progress *progress, void *context);
	void *context;
};

/* Handles SIGINT and SIGTERM from now on: the first one ends the run early, the second the
 * process. */
void run_handle_signals(void);

/* Runs the load as often as it says and judges the result, which the caller frees. NULL if there is
 * no memory. */
struct result *run_load(const struct load *load, const struct watcher *watcher);

#endif
