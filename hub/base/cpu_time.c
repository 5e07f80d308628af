/* The kernel's file schedstat has the times of a thread. */
#include "hub/base/cpu_time.h"

#include <stdlib.h>

#include "hub/base/task.h"

bool
cpu_time_read(pid_t process, pid_t thread, struct cpu_time *time)
{
	char times[96], *rest;

	if (!task_read(process, thread, "schedstat", times, sizeof times))
		return false;
	time->ran = strtoll(times, &rest, 10);
	time->waited = strtoll(rest, NULL, 10);
	time->is_runnable = task_is_runnable(process, thread);
	/* A kernel without the count shows zeros, of a thread that has run. */
	return time->ran > 0;
}
