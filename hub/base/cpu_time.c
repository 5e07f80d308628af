/* The kernel's files about a thread: schedstat has its times, stat its state. */
#include "hub/base/cpu_time.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/kernel.h"

/* Reads one of the files into text, which it ends. Returns false if it is not there, or empty. */
static bool
read_file(pid_t process, pid_t thread, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

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
cpu_time_read(pid_t process, pid_t thread, struct cpu_time *time)
{
	char times[96], line[512];
	const char *state;
	char *rest;

	if (!read_file(process, thread, "schedstat", times, sizeof times) ||
		!read_file(process, thread, "stat", line, sizeof line))
		return false;
	time->ran = strtoll(times, &rest, 10);
	time->waited = strtoll(rest, NULL, 10);
	/* The state follows the thread's name, which is in brackets and may contain any
	 * character. */
	state = strrchr(line, ')');
	time->is_runnable = state != NULL && state[1] == ' ' && state[2] == 'R';
	/* A kernel without the count shows zeros, of a thread that has run. */
	return time->ran > 0;
}
