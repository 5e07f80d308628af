/* A lookup: finds the names of the functions in a crashed worker's backtrace, in a child of the
 * master while the master's loop goes on, and logs the backtrace. */
#ifndef HUBBUB_FLEET_LOOKUP_H
#define HUBBUB_FLEET_LOOKUP_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "worker/counters.h"

#define LOOKUP_SECONDS 5 /* a lookup that takes longer is given up */
#define LOOKUPS_MAX 16   /* at the same time */

/* Starts a lookup. When the names are known, logs a line that begins with whose, such as "worker 1
 * (pid 4711), hub 0", and the backtrace below it; or logs why there is no backtrace. The crash is
 * copied. */
void lookup_start(struct ev_loop *loop, const char *whose, const struct worker_crash *crash);

/* Reaps the child with this pid if it belongs to a lookup; returns whether it does. */
bool lookup_reap(pid_t pid);

/* Ends all lookups without the loop, and logs their results: waits for each up to its time limit,
 * or, if waits is false, kills the children at once. */
void lookups_end(bool waits);

#endif
