/* The kernel's files about a thread, which it calls a task. */
#ifndef HUBBUB_BASE_TASK_H
#define HUBBUB_BASE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "hub/base/inside.h"

#define TASK_OF_OURS 0 /* the process: this one, also where its number in /proc is another */

/* Reads one of the files about a process's thread into text, which it ends. Returns false if it is
 * not there, or empty, or no fd is left.
 * Switches: no.  Thread: any. */
bool task_read(pid_t process, pid_t thread, const char *name, char *text, size_t size)
	HUB_INSIDE(task_read);

/* Whether the thread has a CPU, or waits for one: the kernel's state R. Returns false if the kernel
 * does not tell. */
bool task_is_runnable(pid_t process, pid_t thread);

#endif
