/* Sums over the processes of a family, from their CPU clocks and from /proc. A process that has
 * ended counts as 0, so sums can go back. */
#include "tests/support/family.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/support/program.h"

void
family_find(struct family *family, pid_t pid)
{
	family->pids[0] = pid;
	family->count = 1 + program_children(pid, family->pids + 1, FAMILY_MAX - 1);
}

double
family_cpu(const struct family *family)
{
	double seconds = 0;

	for (int i = 0; i < family->count; i++) {
		struct timespec used;
		clockid_t clock;

		if (clock_getcpuclockid(family->pids[i], &clock) == 0 &&
			clock_gettime(clock, &used) == 0)
			seconds += (double)used.tv_sec + (double)used.tv_nsec / 1e9;
	}
	return seconds;
}

double
family_memory(const struct family *family, const char *field)
{
	size_t length = strlen(field);
	double bytes = 0;

	for (int i = 0; i < family->count; i++) {
		char path[64], line[256];
		double kilobytes;
		FILE *file;

		snprintf(path, sizeof path, "/proc/%d/%s", (int)family->pids[i],
			strncmp(field, "Vm", 2) == 0 ? "status" : "smaps_rollup");
		file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof line, file) != NULL)
			if (strncmp(line, field, length) == 0 && line[length] == ':' &&
				sscanf(line + length + 1, "%lf", &kilobytes) == 1)
				bytes += kilobytes * 1024;
		if (file != NULL)
			fclose(file);
	}
	return bytes;
}
