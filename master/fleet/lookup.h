/* A lookup: the names of the functions in which a worker crashed, found by a child of the master
 * while its loop goes on, and logged as soon as they are known. */
#ifndef HUBBUB_FLEET_LOOKUP_H
#define HUBBUB_FLEET_LOOKUP_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "worker/counters.h"

#define LOOKUP_SECONDS 5 /* names that take longer to look up are not told */
#define LOOKUPS_MAX 16   /* at the same time */

/* Logs the backtrace of a crash when its names are known, or why there is none: its lines together,
 * below one that begins with whose, such as "worker 1 (pid 4711), hub 0". The crash is copied. */
void lookup_start(struct ev_loop *loop, const char *whose, const struct worker_crash *crash);

/* Reaps a child that has ended if it is one of a lookup; returns whether it was. */
bool lookup_reap(pid_t pid);

/* Ends all lookups without the loop: waits for those that are under way, none longer than its time,
 * or kills them at once, and logs what is known. */
void lookups_end(bool waits);

#endif
