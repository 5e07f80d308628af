/* Calls that open, duplicate and close file descriptors: each says so to `descriptor` and `given`,
 * and none closes or replaces a descriptor of the hub's own. What libraries do by system calls of
 * their own is found out when a coroutine next waits for the fd (hubbub/io/fd.h). */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/fork.h>
#include <hubbub/io/own.h>
#include <hubbub/timeout.h>
#include <limits.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/given_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/real_priv.h"

/* Whether close(2) may block until sent bytes are acknowledged: SO_LINGER. */
static bool
lingers(int fd)
{
	struct linger linger = {0};
	socklen_t size = sizeof linger;

	return kernel_getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == 0 &&
	       linger.l_onoff && linger.l_linger > 0;
}

static void *
close_there(void *argument)
{
	int *answer = argument, result = REAL(close)(*answer);

	*answer = result == 0 ? 0 : errno;
	return NULL;
}

/* Closes fd in another thread, which no signal interrupts; shielded, since a kill must not leave fd
 * open. */
static int
close_lingering(int fd)
{
	struct hub_timeout shield;
	int answer = fd, result;

	hub_shield_start(&shield);
	result = patch_offload(close_there, &answer);
	hub_shield_stop(&shield);
	if (result != 0)
		return REAL(close)(fd);
	if (answer != 0)
		errno = answer;
	return answer == 0 ? 0 : -1;
}

int
patch_close(int fd)
{
	int error = errno;
	bool is_lingering;

	if (hub_owns(fd))
		return failed(EBADF);
	is_lingering = hub_is_running() && lingers(fd);
	errno = error;
	/* Before it is closed: after that another thread may open fd anew. */
	descriptor_new(fd);
	return is_lingering && patch_suspends(HUB_PATCH_OS) && !hub_is_vforked()
		       ? close_lingering(fd)
		       : REAL(close)(fd);
}

/* Closes from first to last, all but the hub's own descriptors. */
static int
close_between(unsigned first, unsigned last, int flags)
{
	int own;

	while (first <= INT_MAX && (own = hub_own_next((int)first)) != -1 &&
		(unsigned)own <= last) {
		if ((unsigned)own > first &&
			REAL(close_range)(first, (unsigned)own - 1, flags) != 0)
			return -1;
		first = (unsigned)own + 1;
		if (first > last)
			return 0;
	}
	return REAL(close_range)(first, last, flags);
}

int
patch_close_range(unsigned first, unsigned last, int flags)
{
	/* With flags this table of descriptors stays as it is: CLOSE_RANGE_CLOEXEC closes nothing,
	 * CLOSE_RANGE_UNSHARE closes in a table of the thread's own. */
	if (flags == 0)
		descriptor_range_new(first, last);
	return close_between(first, last, flags);
}

int
patch_dup(int fd)
{
	int to = REAL(dup)(fd);

	descriptor_copy(fd, to);
	return to;
}

/* Whether `to` is one of the hub's own descriptors, which must not be replaced; sets errno to EBUSY
 * then. */
static bool
is_taken(int fd, int to)
{
	if (fd == to || !hub_owns(to))
		return false;
	errno = EBUSY;
	return true;
}

/* Whether dup2(2) will close `to`: only if fd is open. */
static bool
is_replaced(int fd, int to)
{
	return fd != to && to >= 0 && kernel_fcntl(fd, F_GETFD, 0) != -1;
}

int
patch_dup2(int fd, int to)
{
	int result;

	if (is_taken(fd, to))
		return -1;
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

	if (is_taken(fd, to))
		return -1;
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
	unsigned count = given_count();
	int fd = REAL(socket)(domain, type, protocol);

	descriptor_new(fd);
	given_made(fd, count);
	return fd;
}

void
patch_closefrom(int first)
{
	int own;

	first = first > 0 ? first : 0;
	descriptor_range_new((unsigned)first, ~0U);
	/* One by one as far as the hub has descriptors of its own: close_range(2) may be missing.
	 * libc closes the rest. */
	for (; (own = hub_own_next(first)) != -1; first = own + 1)
		for (int fd = first; fd < own; fd++)
			REAL(close)(fd);
	REAL(closefrom)(first);
}

/* libc closes the fd and opens another, mostly with the same number, by calls that do not come past
 * here. */
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
patch_daemon(int keeps_directory, int keeps_streams)
{
	int result = REAL(daemon)(keeps_directory, keeps_streams);

	if (result == 0 && !keeps_streams)
		descriptor_range_new(STDIN_FILENO, STDERR_FILENO);
	return result;
}
