/* Raw coroutines: they run only when something switches to them, and a value travels with each
 * switch, as with greenlets. They need no running hub; each thread has its own.
 *
 * The parent of a raw coroutine is the coroutine (or the thread's own stack) that created it. When
 * its body returns, the parent receives the result from its own hub_switch; a parent that has not
 * started is started with it. When the body ended with hub_fail, the parent is thrown the code. */
#ifndef HUBBUB_SWITCH_H
#define HUBBUB_SWITCH_H

#include <stdbool.h>

#include "coroutine.h"

HUBBUB_API_BEGIN

/* Creates a raw coroutine; the value of the first switch to it becomes body's argument.
 * Switches: no.  Ownership: the caller frees it with hub_free.
 * Returns NULL with errno ENOMEM. */
struct hub_coroutine *hub_new(hub_fn *body);

/* Suspends the caller and continues the raw coroutine, or whoever last switched away by hub_switch,
 * with value; returns the value with which something switches back here. Switching to a coroutine
 * that has ended reaches its parent. Switching to one that waits in a blocking call, or to a
 * scheduled coroutine that was never suspended in hub_switch, is a fatal error.
 * Switches: yes.  Thread: the coroutine's.  Ownership: value is only passed on. */
void *hub_switch(struct hub_coroutine *to, void *value);

/* As hub_switch, but what is suspended in there is thrown error instead of given a value: its
 * hub_switch returns NULL, and hub_thrown says which error. One that has not started ends without
 * running, and its parent is thrown the error (or, if that is ECANCELED, given NULL: ending was
 * what it was asked). To throw at one that has ended is to throw at its parent, but ECANCELED does
 * nothing there: the call returns NULL at once.
 * Switches: yes.  Thread: the coroutine's.  Returns as hub_switch. */
void *hub_throw(struct hub_coroutine *to, int error);

/* What the caller was last resumed with: 0 if a value came, or else the error thrown at it: by
 * hub_throw, or by a child that ended with hub_fail. The answer is given once.
 * Switches: no.  Errors: none. */
int hub_thrown(void);

/* Who gets the result of a raw coroutine; NULL if that one is freed, or the coroutine is not raw.
 * Asked of the running coroutine's child, it may be the thread's own stack, to which hub_switch
 * goes too.
 * Switches: no.  Errors: none. */
struct hub_coroutine *hub_parent(const struct hub_coroutine *coroutine);

/* Makes parent the one that gets the raw coroutine's result.
 * Switches: no.  Returns 0, or -1 with errno ELOOP (the coroutine is an ancestor of parent, or
 * parent), EXDEV (parent belongs to another thread) or EINVAL (the coroutine is not raw). */
int hub_set_parent(struct hub_coroutine *coroutine, struct hub_coroutine *parent);

/* Whether the body of a coroutine, raw or scheduled, has returned (or, killed before, never will
 * begin), and it is not joined yet: hub_join would not wait. Links are told right before.
 * Switches: no.  Errors: none. */
bool hub_is_done(const struct hub_coroutine *coroutine);

/* Frees a raw coroutine that neither runs nor waits in a blocking call. One that is suspended is
 * never resumed: what it deferred is done, what else its frames hold is the caller's to clean up
 * (hub_throw at it, before, lets it do that itself). NULL is ignored.
 * Switches: no. */
void hub_free(struct hub_coroutine *coroutine);

HUBBUB_API_END

#endif
