/* CPUs are bounded by the affinity mask and by quotas of control groups; a quota of any group above
 * the process's binds, too. Quotas are QUOTA microseconds of CPU time per PERIOD. */
#include "master/start/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "master/start/cgroup.h"

/* Reads up to two words of a one-line file. Returns how many there were; 0 if it cannot be read. */
static int
read_words(const char *directory, const char *file, char first[32], char second[32])
{
	char path[512];
	FILE *stream;
	int words;

	if (snprintf(path, sizeof path, "%s/%s", directory, file) >= (int)sizeof path)
		return 0;
	stream = fopen(path, "re");
	if (stream == NULL)
		return 0;
	words = fscanf(stream, "%31s %31s", first, second);
	fclose(stream);
	return words > 0 ? words : 0;
}

unsigned
cpus_quota(const char *directory)
{
	char quota[32], period[32], rest[32];
	double microseconds = 0, of = 0;

	if (read_words(directory, "cpu.max", quota, period) != 2 &&
		!(read_words(directory, "cpu.cfs_quota_us", quota, rest) == 1 &&
			read_words(directory, "cpu.cfs_period_us", period, rest) == 1))
		return 0;
	/* "max" and -1 mean no quota; neither reads as a number above 0. */
	if (sscanf(quota, "%lf", &microseconds) != 1 || sscanf(period, "%lf", &of) != 1 ||
		microseconds <= 0 || of <= 0)
		return 0;
	return (unsigned)((microseconds + of - 1) / of);
}

/* Lowers *context to the quota of one group. */
static void
take_quota(const char *directory, void *context)
{
	unsigned *smallest = context, quota = cpus_quota(directory);

	if (quota > 0 && quota < *smallest)
		*smallest = quota;
}

unsigned
cpus_allowed(void)
{
	cpu_set_t set;
	unsigned cpus = 1;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		cpus = (unsigned)CPU_COUNT(&set);
	cgroup_each("/proc/self/cgroup", "", "/sys/fs/cgroup", take_quota, &cpus);
	cgroup_each("/proc/self/cgroup", "cpu", "/sys/fs/cgroup/cpu", take_quota, &cpus);
	return cpus > 0 ? cpus : 1;
}
