/* A stack that overflows touches its guard: SIGSEGV, reported on a signal stack of its own with the
 * coroutine's name, since the coroutine has no stack left to run a handler on. */
#ifndef HUBBUB_DEBUG_OVERFLOW_PRIV_H
#define HUBBUB_DEBUG_OVERFLOW_PRIV_H

/* Gives the calling thread a signal stack, unless it has one, and the process the handler, once.
 * Returns 0, or -1 with errno ENOMEM. */
int overflow_thread_start(void);

/* Takes the thread's signal stack away again. */
void overflow_thread_stop(void);

#endif
