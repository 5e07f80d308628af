/* /proc/PID/task/TID/NAME. */
#include "hub/base/task.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/kernel.h"

bool
task_read(pid_t process, pid_t thread, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	if (process == TASK_OF_OURS)
		snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)thread, name);
	else
		snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)process, (int)thread, name);
	fd = kernel_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd == -1)
		return false;
	length = kernel_read(fd, text, size - 1);
	kernel_close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

bool
task_is_runnable(pid_t process, pid_t thread)
{
	char line[512];
	const char *state;

	if (!task_read(process, thread, "stat", line, sizeof line))
		return false;
	/* The state follows the thread's name, which is in brackets and may contain any
	 * character. */
	state = strrchr(line, ')');
	return state != NULL && state[1] == ' ' && state[2] == 'R';
}
