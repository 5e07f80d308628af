#include "master/start/cpus.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/hubbub-cpus-XXXXXX";

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *stream;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	stream = fopen(path, "w");
	cr_assert_not_null(stream);
	fputs(text, stream);
	fclose(stream);
}

static void
remove_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path);
}

Test(cpus, quotas_of_both_cgroup_versions_are_rounded_up)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(cpus_quota(folder), 0, "no files, no quota");
	write_file("cpu.max", "250000 100000\n");
	cr_assert_eq(cpus_quota(folder), 3);
	write_file("cpu.max", "max 100000\n");
	cr_assert_eq(cpus_quota(folder), 0);
	remove_file("cpu.max");
	write_file("cpu.cfs_quota_us", "-1\n");
	write_file("cpu.cfs_period_us", "100000\n");
	cr_assert_eq(cpus_quota(folder), 0);
	write_file("cpu.cfs_quota_us", "50000\n");
	cr_assert_eq(cpus_quota(folder), 1);
	remove_file("cpu.cfs_quota_us");
	remove_file("cpu.cfs_period_us");
	rmdir(folder);
}

Test(cpus, affinity_binds)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	cr_assert_geq(cpus_allowed(), 1);
	cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
	cr_assert_eq(cpus_allowed(), 1);
}
