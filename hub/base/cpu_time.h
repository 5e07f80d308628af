/* What a thread has had of the CPUs, and for how long it has waited for one. Linux counts both
 * (CONFIG_SCHED_INFO): a thread that could run and does not, waits, be it that others have the CPUs
 * or that its control group has used up its share. */
#ifndef HUBBUB_BASE_CPU_TIME_H
#define HUBBUB_BASE_CPU_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/base/inside.h"

/* In nanoseconds, since the thread began. */
struct cpu_time {
	int64_t ran;
	int64_t waited;   /* without the wait that goes on now: see cpu_time_waited */
	bool is_runnable; /* it has a CPU, or waits for one */
};

/* Reads the times of a process's thread, which may be the process of another user. Returns false if
 * the kernel does not tell: there is no such thread, no /proc, no such count, or no fd left, or the
 * thread has not run yet.
 * Switches: no.  Thread: any. */
bool cpu_time_read(pid_t process, pid_t thread, struct cpu_time *time) HUB_INSIDE(cpu_time_read);

/* For how long the thread has waited for a CPU between two readings, `elapsed` nanoseconds apart:
 * at least 0, at most elapsed. */
static inline int64_t
cpu_time_waited(const struct cpu_time *before, const struct cpu_time *now, int64_t elapsed)
{
	int64_t ran = now->ran - before->ran;
	int64_t waited = now->waited - before->waited;

	/* The kernel counts a wait when it ends. Until then, a thread that could run and has not
	 * run has waited. */
	if (now->is_runnable && elapsed - ran > waited)
		waited = elapsed - ran;
	if (waited < 0)
		return 0;
	return waited < elapsed ? waited : elapsed;
}

#endif
