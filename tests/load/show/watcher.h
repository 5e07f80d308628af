/* What a run tells whoever shows it. */
#ifndef HUBBUB_LOAD_WATCHER_H
#define HUBBUB_LOAD_WATCHER_H

#include "tests/load/show/result.h"

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

#endif
