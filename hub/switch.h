/* Raw coroutines: each runs only when another coroutine switches to it, and a value travels with
 * each switch, as with greenlets. They need no running hub; each thread has its own.
 *
 * The parent of a raw coroutine is the coroutine (or the thread's own stack) that created it. When
 * its body returns, the parent's hub_switch returns the result; a parent that has not started is
 * started with the result. If the body ended with hub_fail, the parent is thrown the code. */
#ifndef HUBBUB_SWITCH_H
#define HUBBUB_SWITCH_H

#include <stdbool.h>

#include "coroutine.h"

HUBBUB_API_BEGIN

/* Creates a raw coroutine; the value of the first switch to it becomes body's argument.
 * Switches: no.  Ownership: the caller frees it with hub_free.
 * Returns NULL with errno ENOMEM. */
struct hub_coroutine *hub_new(hub_fn *body);

/* Suspends the caller and continues, with value, a raw coroutine or any other that is suspended in
 * hub_switch. Returns the value with which a later switch comes back to the caller. Switching to a
 * coroutine that has ended reaches its parent. Switching to a coroutine that waits in a blocking
 * call, or to a scheduled coroutine that was never suspended in hub_switch, is a fatal error.
 * Switches: yes.  Thread: the coroutine's.  Ownership: value is only passed on. */
void *hub_switch(struct hub_coroutine *to, void *value);

/* As hub_switch, but the target is thrown error instead of given a value: its hub_switch returns
 * NULL, and hub_thrown returns error. A target that has not started ends without running, and its
 * parent is thrown error; if error is ECANCELED the parent gets NULL instead, since the target did
 * what it was asked. A throw at a coroutine that has ended reaches its parent, but ECANCELED then
 * has no effect: the call returns NULL at once.
 * Switches: yes.  Thread: the coroutine's.  Returns as hub_switch. */
void *hub_throw(struct hub_coroutine *to, int error);

/* The error with which the caller was last resumed, thrown by hub_throw or by a child that ended
 * with hub_fail; 0 if it was given a value. The error is returned once.
 * Switches: no.  Errors: none. */
int hub_thrown(void);

/* The parent of a raw coroutine, which gets its result; NULL if the parent was freed, or the
 * coroutine is not raw. May be the thread's own stack, which hub_switch accepts.
 * Switches: no.  Errors: none. */
struct hub_coroutine *hub_parent(const struct hub_coroutine *coroutine);

/* Makes parent the parent of a raw coroutine, which gets its result.
 * Switches: no.  Returns 0, or -1 with errno ELOOP (the coroutine is parent, or an ancestor of
 * parent), EXDEV (parent belongs to another thread) or EINVAL (the coroutine is not raw). */
int hub_set_parent(struct hub_coroutine *coroutine, struct hub_coroutine *parent);

/* Whether the body of a coroutine, raw or scheduled, has returned, or will never begin because the
 * coroutine was killed: then hub_join would not wait. Links are called just before this becomes
 * true.
 * Switches: no.  Errors: none. */
bool hub_is_done(const struct hub_coroutine *coroutine);

/* Frees a raw coroutine that neither runs nor waits in a blocking call. A suspended one is never
 * resumed: its deferred calls are made, and the caller must clean up what else its frames hold; a
 * hub_throw before lets the coroutine do that itself. NULL is ignored.
 * Switches: no. */
void hub_free(struct hub_coroutine *coroutine);

HUBBUB_API_END

#endif
