/* The families that are patched, and whether a call suspends a coroutine here and now: every
 * function that stands before one of libc's asks this first. */
#ifndef HUBBUB_PATCH_PATCH_PRIV_H
#define HUBBUB_PATCH_PATCH_PRIV_H

#include <hubbub/scheduler.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hub/patch/calls_priv.h"
#include "hub/patch/patch.h"
#include "hub/patch/real_priv.h"

/* Not a family, but a bit of patch_active: calls are timed for the report. */
#define PATCH_REPORTED (1U << 31)

/* The families that are patched, as bits, and PATCH_REPORTED. Bits are added by hub_patch and never
 * taken away. */
extern atomic_uint patch_active;

/* The return address of the patched call that this thread makes: in the code that called it. Valid
 * until the call first suspends; then another coroutine's call may overwrite it. */
extern _Thread_local const void *patch_caller;

/* The slow part of patch_suspends, for a thread that runs a hub. */
bool patch_suspends_here(unsigned family);

/* Whether a call of that family suspends a coroutine here and now. False in a signal handler, which
 * may have interrupted anything, and once exit(3) has begun. */
static inline bool
patch_suspends(unsigned family)
{
	return __builtin_expect(hub_is_running(), 0) && patch_suspends_here(family);
}

/* After a suspending call failed with ECANCELED: ends the thread here if pthread_cancel was the
 * cause. Keeps errno. */
void patch_canceled(unsigned family);

/* hub_sleep and hub_offload for calls that suspend. In a child of vfork(2), where no coroutine may
 * run and whose file descriptors the parent's threads do not have, the calling thread itself sleeps
 * and runs the body. */
int patch_rest(int64_t nanoseconds);
int patch_offload(hub_fn *body, void *argument);

#endif
