/* The device and inode of JOURNAL_STREAM, as the environment had them when it was last read. */
#include "hub/base/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/kernel.h"

/* Kept, because getenv(3) when a line is written would race with threads that set variables. */
static struct {
	bool is_there;
	unsigned long long device;
	unsigned long long inode;
} stream;

void
journal_read_environment(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	char *end = NULL;
	int error = errno;

	stream.is_there = false;
	if (text != NULL)
		stream.device = strtoull(text, &end, 10);
	if (end != NULL && end != text && *end == ':') {
		text = end + 1;
		stream.inode = strtoull(text, &end, 10);
		stream.is_there = end != text && *end == '\0';
	}
	errno = error;
}

static __attribute__((constructor)) void
begin(void)
{
	journal_read_environment();
}

bool
journal_is(int fd)
{
	struct stat status;
	int error = errno;
	bool is_it = stream.is_there && kernel_fstat(fd, &status) == 0 &&
		     status.st_dev == stream.device && status.st_ino == stream.inode;

	errno = error;
	return is_it;
}
