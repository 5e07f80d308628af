/* What is patched, and whether a call suspends here and now: what all that stands before the C
 * library's asks first. */
#ifndef HUBBUB_PATCH_PATCH_PRIV_H
#define HUBBUB_PATCH_PATCH_PRIV_H

#include <hubbub/scheduler.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hub/patch/calls_priv.h"
#include "hub/patch/patch.h"
#include "hub/patch/real_priv.h"

/* Not a family: calls are timed. */
#define PATCH_REPORTED (1U << 31)

/* The families that are patched, and PATCH_REPORTED. */
extern atomic_uint patch_active;

/* Where the call of this thread's that suspends now comes from; until it suspends. */
extern _Thread_local const void *patch_caller;

/* The rest of patch_suspends, in a thread that runs a hub. */
bool patch_suspends_here(unsigned family);

/* Whether a call of that family suspends a coroutine here and now: not in a signal's handler, which
 * may have interrupted anything, nor once the process exits. */
static inline bool
patch_suspends(unsigned family)
{
	return __builtin_expect(hub_is_running(), 0) && patch_suspends_here(family);
}

/* After a call that suspended and was told ECANCELED: if it was pthread_cancel, the thread ends
 * here. Keeps errno. */
void patch_canceled(unsigned family);

/* hub_sleep and hub_offload for calls that suspend. In a child of vfork, where no coroutine may run
 * and whose descriptors other threads do not have, this thread sleeps, and runs body. */
int patch_rest(int64_t nanoseconds);
int patch_offload(hub_fn *body, void *argument);

#endif
