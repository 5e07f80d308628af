/* A thread that sleeps in a system call, seen from another thread: where it is and who called, for
 * a backtrace that needs no signal. A signal would end the call. */
#ifndef HUBBUB_DEBUG_ASLEEP_PRIV_H
#define HUBBUB_DEBUG_ASLEEP_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum thread_place {
	THREAD_RUNS,     /* or would, if it got a CPU */
	THREAD_RESTARTS, /* sleeps in a call that begins anew after a signal's handler */
	THREAD_SLEEPS    /* in one that may end by it */
};

/* NULL, where the kernel does not tell: the process is not dumpable, as after setuid. */
struct asleep {
	const void *address;
	const void *const *stack_pointer;
};

/* Whether the thread could run: the kernel's R, and not one of those that wait. */
bool thread_is_runnable(pid_t tid);

/* Where a thread of this process is. asleep is set where it sleeps. */
enum thread_place thread_look(pid_t tid, struct asleep *asleep);

/* Where the call returns to, and whoever may have called, innermost first; returns how many, at
 * most that many. Of what lies between the stack pointer and stack_end it takes every address that
 * follows a call: an earlier one that lies there still may be among them. If the thread goes on
 * meanwhile, the result means nothing. */
size_t asleep_callers(
	const struct asleep *asleep, const void *stack_end, void **frames, size_t most);

#endif
