#include "master/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/values.h"

static int
read_pid(int fd)
{
	char text[32];
	uint64_t pid;
	ssize_t length = pread(fd, text, sizeof text - 1, 0);

	if (length <= 0)
		return 0;
	text[length] = '\0';
	return values_read_digits(text, INT_MAX, &pid) != NULL ? (int)pid : 0;
}

void
pidfile_write(int fd)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%d\n", (int)getpid());

	/* In this order a reader always finds a first line. */
	if (pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) != 0)
		log_warning("cannot write the pid file: %s", strerror(errno));
}

/* Whether path still names what fd is. */
static bool
is_same(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static int
open_regular(const char *path)
{
	struct stat status;
	int fd;

	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		log_error("the pid file %s is no regular file; choose another path", path);
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd == -1)
		log_error("cannot write the pid file %s: %s", path, strerror(errno));
	return fd;
}

int
pidfile_take(const char *path)
{
	for (;;) {
		int fd = open_regular(path);

		if (fd == -1)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			log_error("the pid file %s names pid %d, which runs; give each server its "
				  "own",
				path, read_pid(fd));
			close(fd);
			return -1;
		}
		if (is_same(fd, path)) {
			pidfile_write(fd);
			return fd;
		}
		/* Its former owner has just removed it. */
		close(fd);
	}
}

void
pidfile_remove(int fd, const char *path)
{
	if (fd == -1)
		return;
	if (read_pid(fd) == (int)getpid() && is_same(fd, path) && unlink(path) != 0 &&
		ftruncate(fd, 0) != 0)
		log_debug("cannot remove the pid file %s: %s", path, strerror(errno));
	close(fd);
}
