/* Signal masks: of waits that bring their own (ppoll and its kin), and of threads that are
 * coroutines. The kernel has one mask for all coroutines of a thread; it blocks a signal only where
 * all of them do. */
#include <errno.h>
#include <hubbub/fork.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/mask_priv.h"

/* ---- waits ---- */

/* How many coroutines wait with masks of their own. While there are any, the thread blocks the
 * signals that all their masks block; the mask that it had before is put back after the last. */
static _Thread_local unsigned masked_waits;
static _Thread_local sigset_t mask_before;

bool
masked_begin(struct masked *masked, const sigset_t *mask)
{
	sigset_t now;
	unsigned before = interrupt_handled();

	masked->is_set = mask != NULL;
	if (mask == NULL)
		return true;
	if (masked_waits++ == 0) {
		REAL(pthread_sigmask)(SIG_SETMASK, mask, &mask_before);
	} else {
		REAL(pthread_sigmask)(SIG_SETMASK, NULL, &now);
		sigandset(&now, &now, mask);
		REAL(pthread_sigmask)(SIG_SETMASK, &now, NULL);
	}
	/* A pending signal that this mask lets in has been handled by now. */
	if (interrupt_handled() == before)
		return true;
	errno = EINTR;
	return false;
}

void
masked_end(struct masked *masked)
{
	int error = errno;

	if (masked->is_set && --masked_waits == 0)
		REAL(pthread_sigmask)(SIG_SETMASK, &mask_before, NULL);
	errno = error;
}

/* pthread_sigmask(3) on a mask in memory. Returns 0 or EINVAL. */
static int
change(sigset_t *mask, int how, const sigset_t *set, sigset_t *before)
{
	sigset_t was = *mask;

	if (set != NULL && how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK)
		return EINVAL;
	if (set != NULL && how == SIG_SETMASK)
		*mask = *set;
	else if (set != NULL && how == SIG_BLOCK)
		sigorset(mask, mask, set);
	for (int number = 1; set != NULL && how == SIG_UNBLOCK && number < NSIG; number++)
		if (sigismember(set, number) == 1)
			sigdelset(mask, number);
	if (before != NULL)
		*before = was;
	return 0;
}

int
mask_change(int how, const sigset_t *set, sigset_t *before)
{
	return masked_waits > 0 ? change(&mask_before, how, set, before)
				: REAL(pthread_sigmask)(how, set, before);
}

/* ---- threads ---- */

void
mask_apply(void)
{
	sigset_t common;

	if (!thread_is_host || !thread_common_mask(&common))
		return;
	if (masked_waits > 0)
		mask_before = common;
	else
		REAL(pthread_sigmask)(SIG_SETMASK, &common, NULL);
}

void
mask_inherit(struct thread *thread)
{
	const struct thread *creator = thread_this();

	if (creator != NULL)
		thread->mask = creator->mask;
	else
		REAL(pthread_sigmask)(SIG_BLOCK, NULL, &thread->mask);
}

int
patch_pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
	struct thread *thread = bypass_is_on() ? NULL : thread_this();
	int error;

	/* On a thread of libc, while its coroutines wait with masks of their own, the change is to
	 * the mask that is put back after the last of these waits. */
	if (thread == NULL && masked_waits > 0 && !bypass_is_on() && !interrupt_in_handler() &&
		!hub_is_inherited())
		return mask_change(how, set, before);
	if (thread == NULL)
		return REAL(pthread_sigmask)(how, set, before);
	error = change(&thread->mask, how, set, before);
	mask_apply();
	return error;
}

int
patch_sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
	int error = patch_pthread_sigmask(how, set, before);

	return failed(error);
}

/* In a forked child, which has none of the parent's coroutines: its mask is that of the thread that
 * called fork. */
static void
forget(void)
{
	const struct thread *thread = thread_this();

	if (thread != NULL)
		REAL(pthread_sigmask)(SIG_SETMASK, &thread->mask, NULL);
	else if (masked_waits > 0)
		REAL(pthread_sigmask)(SIG_SETMASK, &mask_before, NULL);
	masked_waits = 0;
}

/* Early, so that in a child this handler runs before those that forget which thread called fork. */
static __attribute__((constructor(200))) void
start(void)
{
	pthread_atfork(NULL, NULL, forget);
}
