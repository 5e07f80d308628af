/* The set of CPUs is what taskset(1), a cpuset or the service manager has left to the process. */
#include "worker/pin.h"

#include <sched.h>

#include "hub/base/check.h"

int
pin_choose(unsigned hub)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
		return -1;
	hub %= (unsigned)CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && hub-- == 0)
			return cpu;
	return -1;
}

int
pin_to(int cpu)
{
	cpu_set_t one;

	CHECK(cpu >= 0 && cpu < CPU_SETSIZE);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof one, &one);
}
