/* How many CPUs this process may use. */
#ifndef HUBBUB_START_CPUS_H
#define HUBBUB_START_CPUS_H

#include <stddef.h>

/* Returns the CPUs that the affinity mask allows, or the quota of its control groups, rounded up,
 * if that is less; at least 1. */
unsigned cpus_allowed(void);

/* Returns the quota of the control group with that directory, in CPUs, rounded up; 0 if it has
 * none. Reads version 2's cpu.max, or version 1's cpu.cfs_quota_us and cpu.cfs_period_us. For
 * cpus_allowed and tests. */
unsigned cpus_quota(const char *directory);

#endif
