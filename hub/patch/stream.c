/* Streams of stdio over pipes, sockets and terminals. Stdio calls read and write within libc, where
 * no function can stand before them. But a stream of fopencookie(3) calls the functions below, and
 * these call the patched read and write. Such a stream has no fd; stream_open stores one where
 * fileno(3) looks: in <bits/types/struct_FILE.h>, which is part of glibc's interface. */
#include "hub/patch/stream_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <hubbub/io/fd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/patch/descriptor_priv.h"
#include "hub/patch/patch_priv.h"

static int
fd_of(void *cookie)
{
	return (int)(intptr_t)cookie;
}

/* The plain names are those of the patched calls. */
static ssize_t
stream_read(void *cookie, char *buffer, size_t length)
{
	return read(fd_of(cookie), buffer, length);
}

/* fopencookie(3) wants 0 for a failure. */
static ssize_t
stream_write(void *cookie, const char *buffer, size_t length)
{
	ssize_t wrote = write(fd_of(cookie), buffer, length);

	return wrote > 0 ? wrote : 0;
}

static int
stream_seek(void *cookie, off64_t *offset, int whence)
{
	off64_t result = lseek64(fd_of(cookie), *offset, whence);

	if (result == -1)
		return -1;
	*offset = result;
	return 0;
}

static int
stream_close(void *cookie)
{
	return close(fd_of(cookie));
}

/* The part of a mode that fopencookie(3) understands. Returns false if it is no mode. */
static bool
plain_mode(const char *mode, char plain[3])
{
	if (mode[0] != 'r' && mode[0] != 'w' && mode[0] != 'a')
		return false;
	plain[0] = mode[0];
	plain[1] = strchr(mode, '+') != NULL ? '+' : '\0';
	plain[2] = '\0';
	return true;
}

FILE *
stream_open(int fd, const char *mode)
{
	cookie_io_functions_t functions = {stream_read, stream_write, stream_seek, stream_close};
	char plain[3];
	FILE *stream;

	if (!plain_mode(mode, plain)) {
		errno = EINVAL;
		return NULL;
	}
	stream = fopencookie((void *)(intptr_t)fd, plain, functions);
	if (stream != NULL)
		stream->_fileno = fd;
	return stream;
}

FILE *
patch_fdopen(int fd, const char *mode)
{
	struct stat status;
	int flags;

	/* Files and directories need no such stream, and libc reports a bad fd. */
	if (!(hub_patched() & HUB_PATCH_OS) || fstat(fd, &status) != 0 || S_ISREG(status.st_mode) ||
		S_ISDIR(status.st_mode))
		return REAL(fdopen)(fd, mode);
	flags = REAL(fcntl)(fd, F_GETFL);
	if (((flags & O_ACCMODE) == O_RDONLY && (mode[0] != 'r' || strchr(mode, '+') != NULL)) ||
		((flags & O_ACCMODE) == O_WRONLY &&
			(mode[0] == 'r' || strchr(mode, '+') != NULL))) {
		errno = EINVAL;
		return NULL;
	}
	if (strchr(mode, 'e') != NULL)
		REAL(fcntl)(fd, F_SETFD, FD_CLOEXEC);
	return stream_open(fd, mode);
}

/* ---- streams of popen's ---- */

/* The records of all streams of popen's, of all threads. */
static struct list commands = {&commands, &commands};
static pthread_mutex_t commands_mutex = PTHREAD_MUTEX_INITIALIZER;

void
stream_note_command(struct command_stream *record)
{
	REAL(pthread_mutex_lock)(&commands_mutex);
	list_append(&commands, &record->link);
	REAL(pthread_mutex_unlock)(&commands_mutex);
}

static struct command_stream *
find_command(const FILE *stream)
{
	LIST_EACH (link, &commands) {
		struct command_stream *each = CONTAINER_OF(link, struct command_stream, link);

		if (each->stream == stream)
			return each;
	}
	return NULL;
}

static bool
is_command(const FILE *stream)
{
	bool is_found;

	REAL(pthread_mutex_lock)(&commands_mutex);
	is_found = find_command(stream) != NULL;
	REAL(pthread_mutex_unlock)(&commands_mutex);
	return is_found;
}

struct command_stream *
stream_take_command(const FILE *stream)
{
	struct command_stream *found;

	REAL(pthread_mutex_lock)(&commands_mutex);
	found = find_command(stream);
	if (found != NULL)
		list_remove(&found->link);
	REAL(pthread_mutex_unlock)(&commands_mutex);
	return found;
}

void
stream_each_command(void (*visit)(FILE *stream, void *context), void *context)
{
	REAL(pthread_mutex_lock)(&commands_mutex);
	LIST_EACH (link, &commands)
		visit(CONTAINER_OF(link, struct command_stream, link)->stream, context);
	REAL(pthread_mutex_unlock)(&commands_mutex);
}

/* In a forked child, which does not have the thread that may hold the mutex. */
static void
reset(void)
{
	pthread_mutex_init(&commands_mutex, NULL);
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, reset);
}

/* libc closes the fd by a call that does not come past here. A stream of popen's may be closed by
 * fclose, too: its child is waited for. */
int
patch_fclose(FILE *stream)
{
	if (is_command(stream))
		return pclose(stream);
	descriptor_new(fileno(stream));
	return REAL(fclose)(stream);
}
