/* The signal masks of threads that are coroutines. */
#ifndef HUBBUB_PATCH_MASK_PRIV_H
#define HUBBUB_PATCH_MASK_PRIV_H

#include "hub/patch/thread_priv.h"

/* pthread_sigmask(3) of the mask that the thread has when no coroutine waits with a mask of its own
 * (ppoll and its kin). */
int mask_change(int how, const sigset_t *set, sigset_t *before);

/* Gives a new thread the mask of its creator, the caller. */
void mask_inherit(struct thread *thread);

/* In the host, when a thread begins, ends or changes its mask: has the kernel block the signals
 * that all threads block. */
void mask_apply(void);

#endif
