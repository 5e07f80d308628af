/* The end of a worker whose master is dead, as far as the kernel sees to it. Such a worker closes
 * what listens at once and serves what is open until the drain deadline; but one that is stuck, or
 * stopped, would keep its port for ever. So the kernel sends it SIGCONT when the master dies
 * (PR_SET_PDEATHSIG), and a timer kills it if it has not closed its listeners a moment later, and
 * in any case after its deadline.
 *
 * SIGCONT, because it wakes a stopped process whatever that does with signals; sent by anybody else
 * it means nothing. A service that handles it itself, or blocks it and is stuck, loses this
 * bound. */
#ifndef HUBBUB_WORKER_ORPHAN_H
#define HUBBUB_WORKER_ORPHAN_H

#include <stdint.h>
#include <sys/types.h>

/* In a new worker, on its only thread: asks to be told of the death of master. Returns 0, or -1
 * with errno, ESRCH if it is dead already. */
int orphan_prepare(pid_t master);

/* The master is dead: the process is killed after ORPHAN_TIME. Does nothing if the kernel has told
 * so before. Without orphan_prepare nothing here does anything. */
void orphan_begin(void);

/* It is not stuck, or holds nothing any more that another master needs: it is killed at that time
 * (hub_now) instead. */
void orphan_last_until(int64_t time);

/* On the first thread: the worker is about to exit, and is not told any more. */
void orphan_end(void);

#endif
