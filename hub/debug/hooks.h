/* Hooks: functions of the program's that a hub calls at certain events, for tracing, metrics and
 * error reporting. Where none are set they cost a load and a compare. */
#ifndef HUBBUB_DEBUG_HOOKS_H
#define HUBBUB_DEBUG_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_coroutine;
struct hub_failure;

/* Each hook may be NULL. No hook may block, switch, spawn, or end the coroutine that it is called
 * for. Hooks run on the hub's thread, except for blocked, which the watchdog's thread calls (see
 * debug/watchdog.h). Every hook is passed context. */
struct hub_hooks {
	/* A coroutine was spawned; it has not run yet. */
	void (*spawned)(struct hub_coroutine *coroutine, void *context);
	/* The thread goes from one coroutine to another; either may be the hub itself, for which
	 * hub_name says "hub". thrown: the switch passes an error on, of hub_throw or of a raw
	 * coroutine that failed. */
	void (*switched)(
		struct hub_coroutine *from, struct hub_coroutine *to, bool thrown, void *context);
	/* A spawned coroutine has ended; hub_failure_of tells how. */
	void (*ended)(struct hub_coroutine *coroutine, void *context);
	/* A coroutine that no coroutine joins has failed. Without this hook a line is written to
	 * stderr. */
	void (*failed)(const struct hub_coroutine *coroutine, const struct hub_failure *failure,
		void *context);
	/* The hub has not switched for so many nanoseconds. Called by the watchdog's thread, in
	 * which no file descriptor of the process but standard error is open. backtrace is the text
	 * that the watchdog would write to stderr. */
	void (*blocked)(int64_t nanoseconds, const char *backtrace, void *context);
	void *context;
	void *room[8]; /* for later versions: NULL */
};

/* Sets this thread's hooks, for the hub that runs or the next one; NULL for none.
 * Switches: no.  Thread: any.  Ownership: hooks are borrowed until others are set, or the thread
 * ends.
 * Returns the hooks set before, or NULL; also NULL, with errno ENOMEM or EINVAL (their room is not
 * NULL), if they cannot be set. */
const struct hub_hooks *hub_set_hooks(const struct hub_hooks *hooks);

HUBBUB_API_END

#endif
