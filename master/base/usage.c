/* The kernel has a clock for the CPU time of each process, and statm for its pages. */
#include "master/base/usage.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/task.h"

int64_t
usage_cpu(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) == -1)
		return -1;
	return used.tv_sec * CLOCK_SECOND + used.tv_nsec;
}

int64_t
usage_memory(pid_t pid)
{
	long long resident, shared;
	char pages[128];

	if (!task_read(pid, pid, "statm", pages, sizeof pages) ||
		sscanf(pages, "%*d %lld %lld", &resident, &shared) != 2)
		return -1;
	return (resident - shared) * sysconf(_SC_PAGESIZE);
}
