/* The signal masks of threads that are coroutines. */
#ifndef HUBBUB_PATCH_MASK_PRIV_H
#define HUBBUB_PATCH_MASK_PRIV_H

#include "hub/patch/thread_priv.h"

/* One that is made has the mask of who makes it. */
void mask_inherit(struct thread *thread);

/* In the host, when a thread begins, ends, or changes its mask: gives the kernel what all of them
 * keep out. */
void mask_apply(void);

#endif
