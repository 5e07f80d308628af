/* The kernel's part in the end of a worker whose master is dead. Such a worker closes its listening
 * sockets at once and serves open connections until the drain deadline; but a worker that is stuck
 * or stopped would keep its port for ever. So the kernel sends it SIGCONT when the master dies
 * (PR_SET_PDEATHSIG), and a timer kills it ORPHAN_TIME later unless it has closed its listeners,
 * and in any case some time after its deadline.
 *
 * SIGCONT, because it resumes a stopped process whatever the process does with signals; sent by any
 * other process it has no effect. A service that handles SIGCONT itself, or blocks it and is stuck,
 * loses this bound. */
#ifndef HUBBUB_WORKER_ORPHAN_H
#define HUBBUB_WORKER_ORPHAN_H

#include <stdint.h>
#include <sys/types.h>

/* In a new worker, on its only thread: asks the kernel for the signal at the death of master.
 * Returns 0, or -1 with errno, ESRCH if master is dead already. */
int orphan_prepare(pid_t master);

/* The master is dead: arms the timer, so that the process is killed after ORPHAN_TIME. Does nothing
 * if the signal has armed it already, or without orphan_prepare. */
void orphan_begin(void);

/* The worker still runs, or holds nothing any more that another master needs: it is killed at time
 * (clock, nanoseconds) instead. Does nothing without orphan_prepare. */
void orphan_last_until(int64_t time);

/* On the first thread: the worker is about to exit, and wants no signal any more. */
void orphan_end(void);

#endif
