/* The signal masks of threads that are coroutines. */
#ifndef HUBBUB_PATCH_MASK_PRIV_H
#define HUBBUB_PATCH_MASK_PRIV_H

#include "hub/patch/thread_priv.h"

/* Pthread_sigmask(3) of the thread as it is when nobody waits with a mask of its own. */
int mask_change(int how, const sigset_t *set, sigset_t *before);

/* One that is made has the mask of who makes it. */
void mask_inherit(struct thread *thread);

/* In the host, when a thread begins, ends, or changes its mask: gives the kernel what all of them
 * keep out. */
void mask_apply(void);

#endif
