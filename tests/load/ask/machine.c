/* Reads limits from the kernel: RLIMIT_NOFILE and files under /proc/sys. Where one cannot be read,
 * the kernel's usual default is returned. */
#include "tests/load/ask/machine.h"

#include <stdio.h>
#include <sys/resource.h>

uint64_t
machine_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return 1024;
	if (files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0)
			getrlimit(RLIMIT_NOFILE, &files);
	}
	return files.rlim_cur;
}

int
machine_read(const char *name, double values[static 3])
{
	char path[128];
	FILE *file;
	int count;

	snprintf(path, sizeof path, "/proc/sys/%s", name);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	count = fscanf(file, "%lf %lf %lf", &values[0], &values[1], &values[2]);
	fclose(file);
	return count > 0 ? count : 0;
}

double
machine_ports(void)
{
	double range[3];

	return machine_read("net/ipv4/ip_local_port_range", range) >= 2 ? range[1] - range[0] + 1
									: 28232;
}
