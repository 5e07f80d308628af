/* A process and its children: what they use together. */
#ifndef HUBBUB_TESTS_FAMILY_H
#define HUBBUB_TESTS_FAMILY_H

#include <sys/types.h>

#define FAMILY_MAX 1024

struct family {
	pid_t pids[FAMILY_MAX];
	int count;
};

/* The process and the children that it has now. */
void family_find(struct family *family, pid_t pid);

/* CPU seconds that they have used so far. */
double family_cpu(const struct family *family);

/* Bytes of memory, as a field of smaps_rollup adds up over them ("Pss" counts what they share once,
 * "Private_Dirty" is what they have written for themselves), or one of status ("VmRSS", "VmPTE":
 * page tables). */
double family_memory(const struct family *family, const char *field);

#endif
