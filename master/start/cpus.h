/* How many CPUs this process may really use. */
#ifndef HUBBUB_START_CPUS_H
#define HUBBUB_START_CPUS_H

#include <stddef.h>

/* The smaller of what affinity allows and the cgroup's quota, rounded up; at least 1. */
unsigned cpus_allowed(void);

/* The quota, in CPUs rounded up, that the files of a cgroup under folder set, v2 (cpu.max) or v1
 * (cpu.cfs_quota_us, cpu.cfs_period_us); 0 where there is none. For tests and cpus_allowed. */
unsigned cpus_quota(const char *folder);

#endif
