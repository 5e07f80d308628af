/* A lock by flock(2) on the open file says who owns the pid file; its text is only for readers. The
 * path may be removed or replaced at any time, so after each lock the file is compared with what
 * the path names by then. */
#include "master/start/pidfile.h"

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
#include "master/base/values.h"

/* Returns the pid in the file; 0 if there is none. */
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

/* This process holds the file, but could not write its pid. */
static bool is_unwritten;

void
pidfile_write(int fd)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%d\n", (int)getpid());
	bool was_unwritten = is_unwritten;

	/* Written first and truncated then, so that a reader always finds a whole first line. */
	is_unwritten = pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) != 0;
	if (is_unwritten && !was_unwritten)
		log_warning("cannot write the pid file: %s; trying again every second",
			strerror(errno));
}

/* Whether path still names the file that fd is open on. */
static bool
is_same(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Opens or creates a regular file. O_NOFOLLOW and O_NONBLOCK, because a link or a FIFO may have
 * taken its place since lstat. Returns its file descriptor, or -1 after logging. */
static int
open_regular(const char *path)
{
	struct stat status;
	int fd;

	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		log_error("the pid file %s is not a regular file; choose another path", path);
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd == -1)
		log_error("cannot write the pid file %s: %s", path,
			errno == ENOENT ? "there is no such directory" : strerror(errno));
	return fd;
}

/* Removes the file if this process has just created it: it cannot be locked, so it must not
 * stay. */
static void
remove_empty(int fd, const char *path)
{
	struct stat status;

	if (fstat(fd, &status) == 0 && status.st_size == 0 && is_same(fd, path))
		unlink(path);
}

/* Logs why the file cannot be locked: another server holds it, or the file system has no locks. */
static void
explain_lock(int fd, const char *path)
{
	if (errno == EWOULDBLOCK) {
		log_error("the pid file %s names pid %d, which runs; give each server its own",
			path, read_pid(fd));
		return;
	}
	log_error("cannot lock the pid file %s: %s", path, strerror(errno));
	remove_empty(fd, path);
}

int
pidfile_take(const char *path)
{
	for (;;) {
		int fd = open_regular(path);

		if (fd == -1)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			explain_lock(fd, path);
			close(fd);
			return -1;
		}
		if (is_same(fd, path)) {
			pidfile_write(fd);
			return fd;
		}
		/* Its former owner has removed the file between open and flock: try again. */
		close(fd);
	}
}

/* Creates the file anew and moves it to the number fd. Returns 0, or an errno; then no new file is
 * left, and fd is the old one. */
static int
make_again(int fd, const char *path)
{
	int made = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int error = 0;

	if (made == -1)
		return errno;
	if (flock(made, LOCK_EX | LOCK_NB) != 0 || dup3(made, fd, O_CLOEXEC) != fd) {
		error = errno;
		/* EWOULDBLOCK: another server has opened and locked the new file, which is its own
		 * now. */
		if (error != EWOULDBLOCK)
			remove_empty(made, path);
	}
	close(made);
	return error;
}

void
pidfile_look(int fd, const char *path)
{
	static bool is_lost;
	bool was_lost = is_lost;
	int error;

	if (fd == -1 || path == NULL)
		return;
	is_lost = !is_same(fd, path);
	if (!is_lost && read_pid(fd) != (int)getpid())
		pidfile_write(fd);
	if (!is_lost)
		return;
	error = make_again(fd, path);
	is_lost = error != 0;
	if (!is_lost) {
		pidfile_write(fd);
		log_warning("the pid file %s had been removed, and was made again", path);
	} else if (!was_lost) {
		log_warning("the pid file %s is not this server's any more: %s", path,
			error == EEXIST || error == EWOULDBLOCK ? "another has taken its place"
								: strerror(error));
	}
}

void
pidfile_remove(int fd, const char *path)
{
	if (fd == -1)
		return;
	/* Another pid in the file is that of a new master; or of the former one, if this master's
	 * pid could not be written. */
	if ((is_unwritten || read_pid(fd) == (int)getpid()) && is_same(fd, path) &&
		unlink(path) != 0 && ftruncate(fd, 0) != 0)
		log_debug("cannot remove the pid file %s: %s", path, strerror(errno));
	close(fd);
}
