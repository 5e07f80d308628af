/* An @FILE may be a pipe or change while it is read, so the descriptor is non-blocking, reading
 * ends after PATIENCE, and a regular file whose size or time has changed meanwhile is refused. */
#include "master/start/argument_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"

#define PATIENCE (2 * CLOCK_SECOND) /* nanoseconds for a pipe to reach its end */

/* Reads up to the end of the file, at most size bytes. Returns how many, or -1 with *why. */
static ssize_t
read_all(int fd, char *text, size_t size, const char **why)
{
	struct pollfd query = {.fd = fd, .events = POLLIN};
	int64_t end = clock_now() + PATIENCE, left;
	size_t length = 0;

	while (length < size) {
		ssize_t got = read(fd, text + length, size - length);

		if (got == 0)
			break;
		if (got > 0) {
			length += (size_t)got;
		} else if (errno == EAGAIN) {
			/* A pipe whose writer has yet to write, such as <(COMMAND). */
			left = (end - clock_now()) / CLOCK_MILLISECOND;
			if (left > 0 && (poll(&query, 1, (int)left) > 0 || errno == EINTR))
				continue;
			*why = "it is a pipe that was not closed within 2 s";
			return -1;
		} else if (errno != EINTR) {
			*why = strerror(errno);
			return -1;
		}
	}
	return (ssize_t)length;
}

/* Whether size or time of the file differ from what they were before it was read. */
static bool
has_changed(int fd, const struct stat *before)
{
	struct stat after;

	return fstat(fd, &after) != 0 || after.st_size != before->st_size ||
	       after.st_mtim.tv_sec != before->st_mtim.tv_sec ||
	       after.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

static char *
read_text(int fd, const char **why)
{
	char *text = malloc(ARGUMENT_FILE_MAX + 2);
	struct stat before;
	bool is_regular;
	ssize_t length;

	if (text == NULL) {
		*why = strerror(errno);
		return NULL;
	}
	is_regular = fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
	length = read_all(fd, text, ARGUMENT_FILE_MAX + 1, why);
	if (length >= 0 && is_regular && has_changed(fd, &before))
		*why = "it changed while it was read; try again";
	else if (length >= 0 && memchr(text, '\0', (size_t)length) != NULL)
		*why = "it contains a NUL byte, so it is not text";
	else if (length > ARGUMENT_FILE_MAX)
		*why = "it is longer than 1 MiB";
	if (*why == NULL) {
		text[length] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

char *
argument_file_read(const char *path, const char **why)
{
	/* O_NONBLOCK: a pipe that nobody has opened for writing reads as empty, and does not block
	 * open. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *text;

	*why = NULL;
	if (fd == -1) {
		*why = strerror(errno);
		return NULL;
	}
	text = read_text(fd, why);
	close(fd);
	return text;
}
