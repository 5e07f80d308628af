/* What opens, copies and closes descriptors. What libraries do without these calls is found out
 * when the number is next waited for (hubbub/io/fd.h). */
#include <fcntl.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/real_priv.h"

int
patch_close(int fd)
{
	descriptor_new(fd);
	return REAL(close)(fd);
}

int
patch_close_range(unsigned first, unsigned last, int flags)
{
	/* With flags it closes nothing, or another table than the one that the hub has. */
	if (flags == 0)
		descriptor_range_new(first, last);
	return REAL(close_range)(first, last, flags);
}

int
patch_dup(int fd)
{
	int to = REAL(dup)(fd);

	descriptor_copy(fd, to);
	return to;
}

/* Only one that is open replaces another. */
static bool
is_replaced(int fd, int to)
{
	return fd != to && to >= 0 && kernel_fcntl(fd, F_GETFD, 0) != -1;
}

int
patch_dup2(int fd, int to)
{
	int result;

	if (is_replaced(fd, to))
		descriptor_new(to);
	result = REAL(dup2)(fd, to);
	descriptor_copy(fd, result);
	return result;
}

int
patch_dup3(int fd, int to, int flags)
{
	int result;

	if (is_replaced(fd, to) && (flags & ~O_CLOEXEC) == 0)
		descriptor_new(to);
	result = REAL(dup3)(fd, to, flags);
	descriptor_copy(fd, result);
	return result;
}

static int
two_new(int result, const int ends[2])
{
	if (result == 0) {
		descriptor_new(ends[0]);
		descriptor_new(ends[1]);
	}
	return result;
}

int
patch_pipe(int ends[2])
{
	return two_new(REAL(pipe)(ends), ends);
}

int
patch_pipe2(int ends[2], int flags)
{
	return two_new(REAL(pipe2)(ends, flags), ends);
}

int
patch_socketpair(int domain, int type, int protocol, int ends[2])
{
	return two_new(REAL(socketpair)(domain, type, protocol, ends), ends);
}

int
patch_socket(int domain, int type, int protocol)
{
	int fd = REAL(socket)(domain, type, protocol);

	descriptor_new(fd);
	return fd;
}

void
patch_closefrom(int first)
{
	descriptor_range_new(first > 0 ? (unsigned)first : 0, ~0U);
	REAL(closefrom)(first);
}

/* Libc closes the number and opens another, mostly the same again, where nobody can see it. */
FILE *
patch_freopen(const char *path, const char *mode, FILE *stream)
{
	int fd = fileno(stream);
	FILE *result;

	descriptor_new(fd);
	result = REAL(freopen)(path, mode, stream);
	if (result != NULL && fileno(result) != fd)
		descriptor_new(fileno(result));
	return result;
}

int
patch_daemon(int keeps_folder, int keeps_streams)
{
	int result = REAL(daemon)(keeps_folder, keeps_streams);

	if (result == 0 && !keeps_streams)
		descriptor_range_new(STDIN_FILENO, STDERR_FILENO);
	return result;
}
