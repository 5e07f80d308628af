/* What a process uses of the machine. */
#ifndef HUBBUB_BASE_USAGE_H
#define HUBBUB_BASE_USAGE_H

#include <stdint.h>
#include <sys/types.h>

/* The CPU time of all threads of the process, the ended ones included, in nanoseconds; -1 if there
 * is no such process. */
int64_t usage_cpu(pid_t pid);

/* The bytes of memory that the process has for itself: what is resident, without pages of files and
 * of memory that it shares. -1 if the kernel does not tell. */
int64_t usage_memory(pid_t pid);

#endif
