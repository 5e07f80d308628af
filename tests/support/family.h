/* CPU and memory of a process and its children together. */
#ifndef HUBBUB_TESTS_FAMILY_H
#define HUBBUB_TESTS_FAMILY_H

#include <sys/types.h>

#define FAMILY_MAX 1024

struct family {
	pid_t pids[FAMILY_MAX];
	int count;
};

/* Finds the process and its children of this moment. */
void family_find(struct family *family, pid_t pid);

/* CPU seconds that the processes have used so far. */
double family_cpu(const struct family *family);

/* Bytes of memory: the sum of a field of /proc/PID/smaps_rollup ("Pss" counts shared pages once,
 * "Private_Dirty" is what a process has written for itself), or, if it begins with "Vm", of
 * /proc/PID/status ("VmRSS"; "VmPTE": page tables). */
double family_memory(const struct family *family, const char *field);

#endif
