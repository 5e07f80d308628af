#include "master/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Reads up to two words of a one-line file. Returns how many there were. */
static int
read_words(const char *folder, const char *file, char first[32], char second[32])
{
	char path[512];
	FILE *stream;
	int words;

	if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path)
		return 0;
	stream = fopen(path, "re");
	if (stream == NULL)
		return 0;
	words = fscanf(stream, "%31s %31s", first, second);
	fclose(stream);
	return words > 0 ? words : 0;
}

unsigned
cpus_quota(const char *folder)
{
	char quota[32], period[32], rest[32];
	double microseconds = 0, of = 0;

	if (read_words(folder, "cpu.max", quota, period) != 2 &&
		!(read_words(folder, "cpu.cfs_quota_us", quota, rest) == 1 &&
			read_words(folder, "cpu.cfs_period_us", period, rest) == 1))
		return 0;
	/* "max" and -1 mean no quota; neither reads as a number above 0. */
	if (sscanf(quota, "%lf", &microseconds) != 1 || sscanf(period, "%lf", &of) != 1 ||
		microseconds <= 0 || of <= 0)
		return 0;
	return (unsigned)((microseconds + of - 1) / of);
}

/* This process's folder in the hierarchy whose controllers field is name ("" is v2). */
static void
quota_of_self(const char *name, const char *mount, unsigned *smallest)
{
	FILE *stream = fopen("/proc/self/cgroup", "re");
	char line[512], folder[1024];

	if (stream == NULL)
		return;
	while (fgets(line, sizeof line, stream) != NULL) {
		char *controllers = strchr(line, ':'), *path;

		if (controllers == NULL || (path = strchr(++controllers, ':')) == NULL)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		if (strcmp(name, "") == 0 ? *controllers != '\0'
					  : strstr(controllers, name) == NULL)
			continue;
		/* A quota anywhere above binds too; in a container the path may not exist here, and
		 * the walk ends at the mount itself. */
		for (;;) {
			unsigned quota;
			char *slash = strrchr(path, '/');

			snprintf(folder, sizeof folder, "%s%s", mount, path);
			quota = cpus_quota(folder);
			if (quota > 0 && quota < *smallest)
				*smallest = quota;
			if (slash == NULL)
				break;
			*slash = '\0';
		}
	}
	fclose(stream);
}

unsigned
cpus_allowed(void)
{
	cpu_set_t set;
	unsigned cpus = 1;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		cpus = (unsigned)CPU_COUNT(&set);
	quota_of_self("", "/sys/fs/cgroup", &cpus);
	quota_of_self("cpu", "/sys/fs/cgroup/cpu", &cpus);
	return cpus > 0 ? cpus : 1;
}
