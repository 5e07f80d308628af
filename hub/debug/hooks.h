/* Hooks: a program's own functions that are called at what happens in a hub, for tracing, metrics
 * and error reporting. Where none are set they cost a load and a compare. */
#ifndef HUBBUB_DEBUG_HOOKS_H
#define HUBBUB_DEBUG_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_coroutine;
struct hub_failure;

/* Any of them may be NULL. None may block, switch, spawn, or end the coroutine that it is told of.
 * They run on the hub's thread, but for blocked, which the watchdog's thread calls (see
 * debug/watchdog.h). */
struct hub_hooks {
	/* A coroutine was spawned, and has not run. */
	void (*spawned)(struct hub_coroutine *coroutine, void *context);
	/* from gives the thread to to; either may be the hub itself, for which hub_name says "hub".
	 * thrown: by hub_throw, or by the failure of a raw coroutine. */
	void (*switched)(
		struct hub_coroutine *from, struct hub_coroutine *to, bool thrown, void *context);
	/* A spawned coroutine has ended; hub_failure_of tells how. */
	void (*ended)(struct hub_coroutine *coroutine, void *context);
	/* One that nobody joins has failed. Without this hook a line is written to stderr. */
	void (*failed)(const struct hub_coroutine *coroutine, const struct hub_failure *failure,
		void *context);
	/* Called by the watchdog's thread, which has standard error and no other descriptor of the
	 * process. The hub has not switched for that many nanoseconds; backtrace is what the
	 * watchdog would write to stderr. */
	void (*blocked)(int64_t nanoseconds, const char *backtrace, void *context);
	void *context;
	void *room[8]; /* for later versions: NULL */
};

/* Sets this thread's hooks, for the hub that runs or the next one; NULL for none.
 * Switches: no.  Thread: any.  Ownership: hooks are borrowed until others are set, or the thread
 * ends.
 * Returns the ones set before, or NULL; also NULL, with errno ENOMEM or EINVAL (their room is not
 * NULL), if they cannot be set. */
const struct hub_hooks *hub_set_hooks(const struct hub_hooks *hooks);

HUBBUB_API_END

#endif
