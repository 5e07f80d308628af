/* What a thread that is a coroutine has by key. */
#ifndef HUBBUB_PATCH_VALUES_PRIV_H
#define HUBBUB_PATCH_VALUES_PRIV_H

#include "hub/patch/thread_priv.h"

/* Calls the destructors of its values. */
void values_destroy(struct thread *thread);

/* In a child that it has forked: its values are the kernel thread's. */
void values_inherit(const struct thread *thread);

#endif
