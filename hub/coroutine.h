/* Scheduled coroutines: spawn, join, detach, kill.
 *
 * As with pthreads, each spawned coroutine must be joined or detached once. A coroutine belongs to
 * the hub, and so to the thread, that spawned it, for life. Every function that takes a coroutine
 * must be called on that thread and before the coroutine is gone (joined, or detached and ended);
 * otherwise it ends the process with a message. None may be called in a signal handler (see
 * signal.h). A kill frees nothing that the coroutine holds: defer.h lets it register how to give
 * things back, where it takes them.
 *
 * Every blocking function of this library may fail with
 *
 *     ECANCELED  the calling coroutine was killed (every later blocking call fails the same way),
 *     ETIMEDOUT  a timeout scope around the call has expired (see timeout.h),
 *     EDEADLK    the hub's first coroutine waits and nothing can ever wake it,
 *     EPERM      the caller is not a coroutine of a running hub,
 *     EINTR      the program called hub_interrupt on the caller. */
#ifndef HUBBUB_COROUTINE_H
#define HUBBUB_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "scheduler.h"

HUBBUB_API_BEGIN

/* Makes body(argument) runnable as a coroutine, at the end of the run queue.
 * Switches: no.  Ownership: the caller must join or detach the coroutine.
 * Returns NULL with errno ENOMEM (no memory for a stack), ECANCELED (the hub is ending) or EPERM
 * (this thread runs no hub). */
struct hub_coroutine *hub_spawn(hub_fn *body, void *argument);

/* As hub_spawn, but the coroutine becomes runnable only after that many nanoseconds: at once for 0
 * or less, never for HUB_FOREVER. If it is killed before, its body never runs.
 * Switches: no.  Ownership and errors: as hub_spawn. */
struct hub_coroutine *hub_spawn_later(int64_t nanoseconds, hub_fn *body, void *argument);

/* hub_spawn and hub_detach in one, for a coroutine whose result nobody needs.
 * Switches: no.  Returns 0, or -1 with errno as hub_spawn. */
int hub_go(hub_fn *body, void *argument);

/* Waits until the coroutine has ended, stores its result where result is not NULL, and frees it.
 * The result of a coroutine that was killed before its first run is NULL.
 * Switches: yes, unless it has ended already.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM as every blocking call (the
 * coroutine must still be joined), EDEADLK also for joining oneself, or EINVAL (the coroutine is
 * detached, raw, the hub's first one, owned by a pool or nursery, or being joined by another
 * coroutine). */
int hub_join(struct hub_coroutine *coroutine, void **result);

/* As hub_join, but after that many nanoseconds it fails with ETIMEDOUT, and the coroutine must
 * still be joined. Switches: as hub_join. */
int hub_join_for(struct hub_coroutine *coroutine, void **result, int64_t nanoseconds);

/* Makes the coroutine free itself when it ends; its result is lost.
 * Switches: no.  Ownership: the pointer must not be used after the coroutine has ended.
 * Returns 0, or -1 with errno EINVAL (the coroutine is detached, raw, the hub's first one, or being
 * joined). */
int hub_detach(struct hub_coroutine *coroutine);

/* Asks the coroutine to end: its present blocking call, and every later one, fails with ECANCELED.
 * A call that fails so, or with ETIMEDOUT in an expired scope, may switch once, to let the others
 * run, even where it would not have to wait.
 * A coroutine that has never run will not run. Killing a coroutine that has ended does nothing; a
 * coroutine may kill itself. If the coroutine is suspended in hub_switch, the kill reaches the
 * blocking calls of the coroutines that run on its behalf.
 * Switches: no; it does not wait for the end, hub_join does.
 * Returns 0, or -1 with errno EINVAL (the coroutine is raw). */
int hub_kill(struct hub_coroutine *coroutine);

/* As hub_kill, with a reason for hub_kill_reason: a code of errno.h or of the program's own. The
 * reason of the last kill counts. Switches: no.  Returns as hub_kill. */
int hub_kill_for(struct hub_coroutine *coroutine, int reason);

/* The reason of the last kill of the calling coroutine, also after hub_catch_kill; 0 if that had
 * none, or if there was no kill. Switches: no.  Errors: none. */
int hub_kill_reason(void);

/* Makes the blocking call in which the coroutine waits fail with EINTR, as a signal does to a
 * thread's system call; does nothing if the coroutine waits in no call.
 * Switches: no.  Returns whether the coroutine was waiting. */
bool hub_interrupt(struct hub_coroutine *coroutine);

/* Catches a kill: a calling coroutine that was killed may block again, and can be killed again. The
 * kill at the end of the hub cannot be caught.
 * Switches: no.  Returns whether there was a kill to catch. */
bool hub_catch_kill(void);

/* Whether the coroutine's body has begun. Switches: no.  Errors: none. */
bool hub_has_started(const struct hub_coroutine *coroutine);

/* A number that no other coroutine of the thread ever has. It tells a coroutine that is gone from
 * another one at the same address.
 * Switches: no.  Errors: none. */
uint64_t hub_id(const struct hub_coroutine *coroutine);

/* Names the coroutine for dumps and messages; the name is copied, and cut to 31 bytes.
 * Switches: no.  Errors: none. */
void hub_set_name(struct hub_coroutine *coroutine, const char *name);

/* The coroutine's name, or "" if none was set; valid as long as the coroutine. Switches: no.
 * Errors: none. */
const char *hub_name(const struct hub_coroutine *coroutine);

HUBBUB_API_END

#endif
