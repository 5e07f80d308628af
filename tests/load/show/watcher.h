/* The callbacks by which a run reports its progress. */
#ifndef HUBBUB_LOAD_WATCHER_H
#define HUBBUB_LOAD_WATCHER_H

#include "tests/load/show/result.h"

/* The progress of a run. Valid during the callback. */
struct progress {
	const struct load *load;
	unsigned run;   /* counted from 0 */
	double elapsed; /* seconds since the window began; negative in the warm-up */
	double total;   /* seconds of the window; 0: not known, with a count of messages */
	const struct measurement *whole;  /* since the start */
	const struct measurement *recent; /* since the last interval's end */
};

/* Callbacks, any of which may be NULL. They run in the parent's process and must return soon, since
 * they delay its sampling. */
struct watcher {
	/* Ten times a second while connections are opened. */
	void (*connecting)(const struct progress *progress, void *context);
	void (*started)(const struct progress *progress, void *context);
	/* Up to five times a second while the load runs, between the ends of intervals. */
	void (*frame)(const struct progress *progress, void *context);
	void (*interval)(
		const struct interval *interval, const struct progress *progress, void *context);
	void *context;
};

#endif
