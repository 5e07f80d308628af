/* Thread-specific values (pthread_setspecific) of threads that are coroutines. */
#ifndef HUBBUB_PATCH_SPECIFIC_PRIV_H
#define HUBBUB_PATCH_SPECIFIC_PRIV_H

#include "hub/patch/thread_priv.h"

/* At a thread's end: calls the destructors of its values. */
void specific_destroy(struct thread *thread);

/* In a child that the thread has forked: its values become those of the child's thread of libc. */
void specific_inherit(const struct thread *thread);

#endif
