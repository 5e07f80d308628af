/* Scheduled coroutines: spawn, join, detach, kill.
 *
 * As with pthreads, each spawned coroutine is to be joined or detached once. A coroutine belongs to
 * the hub, and so to the thread, that spawned it, for life; every function that takes one is called
 * on that thread, before it is gone (joined, or detached and ended), or ends the process with a
 * message. None may be called in the handler of a signal (see signal.h). What a coroutine holds
 * when it is killed is its own to give back: see defer.h for how to say so where it is taken.
 *
 * Every blocking function of this library may fail with
 *   ECANCELED  the calling coroutine was killed (every later blocking call fails the same way),
 *   ETIMEDOUT  a timeout scope around the call has expired (see timeout.h),
 *   EDEADLK    the hub's first coroutine waits and nothing can ever wake it,
 *   EPERM      the caller is not a coroutine of a running hub,
 *   EINTR      somebody called hub_interrupt; nobody does unless you do. */
#ifndef HUBBUB_COROUTINE_H
#define HUBBUB_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "scheduler.h"

HUBBUB_API_BEGIN

/* Makes body(argument) runnable as a coroutine, behind those that are runnable already.
 * Switches: no.  Ownership: the caller joins or detaches what is returned.
 * Returns NULL with errno ENOMEM (no memory for a stack), ECANCELED (the hub is ending) or EPERM
 * (this thread runs no hub). */
struct hub_coroutine *hub_spawn(hub_fn *body, void *argument);

/* As hub_spawn, but it becomes runnable only after that many nanoseconds, of which 0 or less have
 * passed and HUB_FOREVER never do; killed before, it never runs.
 * Switches: no.  Ownership and errors: as hub_spawn. */
struct hub_coroutine *hub_spawn_later(int64_t nanoseconds, hub_fn *body, void *argument);

/* hub_spawn and hub_detach in one: for what runs for itself, and has no result.
 * Switches: no.  Returns 0, or -1 with errno as hub_spawn. */
int hub_go(hub_fn *body, void *argument);

/* Waits until the coroutine has ended, stores its result where result is not NULL, and frees it.
 * One that was killed before its first run has the result NULL.
 * Switches: yes, unless it has ended already.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM as every blocking call (the
 * coroutine is still to be joined then), EDEADLK also for joining oneself, or EINVAL (it is
 * detached, raw, the hub's first one, a pool's or nursery's, or another coroutine is joining
 * it). */
int hub_join(struct hub_coroutine *coroutine, void **result);

/* As hub_join, waiting for at most that many nanoseconds: then it fails with ETIMEDOUT, and the
 * coroutine is still to be joined. Switches: as hub_join. */
int hub_join_for(struct hub_coroutine *coroutine, void **result, int64_t nanoseconds);

/* Lets the coroutine free itself when it ends; its result is lost.
 * Switches: no.  Ownership: the pointer must not be used after the coroutine has ended.
 * Returns 0, or -1 with errno EINVAL (it is detached, raw, the hub's first one, or being
 * joined). */
int hub_detach(struct hub_coroutine *coroutine);

/* Asks the coroutine to end: the blocking call that it is in, and every later one, fails with
 * ECANCELED. One that has never run will not run. Killing what has ended does nothing; a coroutine
 * may kill itself. If it is suspended in hub_switch, so is what blocks on its behalf, for good.
 * Switches: no; it does not wait for the end, hub_join does.
 * Returns 0, or -1 with errno EINVAL (it is a raw coroutine). */
int hub_kill(struct hub_coroutine *coroutine);

/* As hub_kill, with a reason for hub_kill_reason, of errno.h or the program's own; that of the last
 * kill counts. Switches: no.  Returns as hub_kill. */
int hub_kill_for(struct hub_coroutine *coroutine, int reason);

/* What the calling coroutine was last killed for, also after hub_catch_kill: 0 without a reason, or
 * if it never was. Switches: no.  Errors: none. */
int hub_kill_reason(void);

/* Makes the blocking call that the coroutine waits in fail with EINTR, as a signal does to a
 * thread's system call; nothing if it waits in none.
 * Switches: no.  Returns whether there was one. */
bool hub_interrupt(struct hub_coroutine *coroutine);

/* Catches a kill: the calling coroutine, if it was killed, may block again and can be killed again.
 * The kill at the end of the hub cannot be caught.
 * Switches: no.  Returns whether there was a kill to catch. */
bool hub_catch_kill(void);

/* Whether its body has begun. Switches: no.  Errors: none. */
bool hub_has_started(const struct hub_coroutine *coroutine);

/* A number that no other coroutine of the thread ever has: for who remembers one beyond its life,
 * when the pointer may be another's.
 * Switches: no.  Errors: none. */
uint64_t hub_id(const struct hub_coroutine *coroutine);

/* Names the coroutine for dumps and messages; copied, cut to 31 bytes.
 * Switches: no.  Errors: none. */
void hub_set_name(struct hub_coroutine *coroutine, const char *name);

/* Its name, or "" where none was set; valid while the coroutine is. Switches: no. Errors: none. */
const char *hub_name(const struct hub_coroutine *coroutine);

HUBBUB_API_END

#endif
