/* What a thread that is a coroutine has by key. */
#ifndef HUBBUB_PATCH_SPECIFIC_PRIV_H
#define HUBBUB_PATCH_SPECIFIC_PRIV_H

#include "hub/patch/thread_priv.h"

/* Calls the destructors of its values. */
void specific_destroy(struct thread *thread);

/* In a child that it has forked: its values are the kernel thread's. */
void specific_inherit(const struct thread *thread);

#endif
