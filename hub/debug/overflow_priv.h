/* Stack overflows. A stack that overflows touches its guard: SIGSEGV, which is reported with the
 * coroutine's name. The handler runs on a signal stack of the thread's, because the coroutine has
 * no stack left. */
#ifndef HUBBUB_DEBUG_OVERFLOW_PRIV_H
#define HUBBUB_DEBUG_OVERFLOW_PRIV_H

/* Gives the calling thread a signal stack, unless it has one, and the process the handler, once.
 * Returns 0, or -1 with errno ENOMEM. */
int overflow_thread_start(void);

/* Frees the signal stack, if overflow_thread_start has given the thread one. */
void overflow_thread_stop(void);

#endif
