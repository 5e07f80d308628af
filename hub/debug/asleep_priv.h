/* Where another thread sleeps in a system call, and which functions called it: for a backtrace
 * without a signal, which could end the call. */
#ifndef HUBBUB_DEBUG_ASLEEP_PRIV_H
#define HUBBUB_DEBUG_ASLEEP_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where a thread is. */
enum thread_place {
	THREAD_RUNS,     /* it has a CPU, or would use one */
	THREAD_RESTARTS, /* in a system call that is restarted after a signal handler */
	THREAD_SLEEPS    /* in a system call that a signal handler may end */
};

/* Where a thread sleeps: its next address and its stack pointer. Both are NULL if the kernel does
 * not tell: the process is not dumpable, as after setuid. */
struct asleep {
	const void *address;
	const void *const *stack_pointer;
};

/* Finds where a thread of this process is; sets *asleep if it sleeps. */
enum thread_place thread_look(pid_t tid, struct asleep *asleep);

/* Stores the address that the system call returns to, and those of functions that may have called
 * it, innermost first; returns how many, at most `most`. A word between the stack pointer and
 * stack_end counts if it is an address right behind a call: so there may be addresses that an
 * earlier call has left on the stack. If the thread runs meanwhile, the result means nothing. */
size_t asleep_callers(
	const struct asleep *asleep, const void *stack_end, void **frames, size_t most);

#endif
