/* Where time went in a trace: for coroutines of each name, how long they ran, were in the run
 * queue, and waited for what; and for the slowest requests.
 *
 * A request is what the records show of it: it begins when bytes for the coroutine have come to the
 * descriptor from which it receives first, and ends when the coroutine sends there for the last
 * time before it receives again. */
#ifndef HUBBUB_CTL_SUMMARY_H
#define HUBBUB_CTL_SUMMARY_H

#include <jansson.h>

#include "master/ctl/tracks.h"

#define SUMMARY_REQUESTS 10

/* Returns the summary of all tracks, the caller's; NULL without memory. end: the clock to which
 * what has not ended counts.
 *
 *	{"hubs": 2, "seconds": of all hubs, "idle": of them, asleep,
 *	 "coroutines": [{"name", "runs", "running", "queued", "waiting": seconds,
 *			 "waits": [{"for": word, "times", "seconds"}]}],
 *	 "requests": [the slowest first: {"name", "pid", "worker", "hub", "fd", "began": seconds
 *			 after the trace did, "seconds", "answered", "running", "queued",
 *			 "waiting", "waits"}]} */
json_t *summary_of(const struct tracks *tracks, int64_t end);

#endif
