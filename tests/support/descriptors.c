/* Counts the entries of /proc/self/fd. "." and ".." and the fd of the directory itself are counted,
 * too: only differences between two calls mean something. */
#include "tests/support/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <stddef.h>
#include <unistd.h>

int
open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		closedir(directory);
	return count;
}

static void *
wait_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

/* Of a coroutine that is parked, since only such a stack is walked through. */
static void *
dump_once(void *argument)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	hub_go(wait_for_ever, NULL);
	hub_sleep(0);
	hub_dump(null);
	close(null);
	return argument;
}

void
descriptors_settle(void)
{
	hub_run(dump_once, NULL, NULL);
}
