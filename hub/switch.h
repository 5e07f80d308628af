/* Raw coroutines: they run only when something switches to them, and a value travels with each
 * switch, as with greenlets. They need no running hub; each thread has its own.
 *
 * The parent of a raw coroutine is the coroutine (or the thread's own stack) that created it. When
 * its body returns, the parent receives the result from its own hub_switch. */
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

/* True once a raw coroutine's body has returned. Switches: no.  Errors: none. */
bool hub_is_done(const struct hub_coroutine *coroutine);

/* Frees a raw coroutine that neither runs nor waits in a blocking call. One that is suspended is never resumed: what its
 * frames hold is the caller's to clean up. NULL is ignored.
 * Switches: no. */
void hub_free(struct hub_coroutine *coroutine);

HUBBUB_API_END

#endif
