/* A process that holds a lease (worker/lease.h) on the counters of the test's. */
#ifndef HUBBUB_TESTS_UNIT_WORKER_HOLDER_H
#define HUBBUB_TESTS_UNIT_WORKER_HOLDER_H

#include <sys/types.h>

/* Forks it, and waits until it has taken the lease. It has a child that outlives it. Returns its
 * pid, or 0 if the lease was not to be had. */
pid_t holder_start(const char *name);

/* Kills it, and waits for its end; its child ends, too, a little later. 0 is ignored. */
void holder_end(pid_t holder);

#endif
