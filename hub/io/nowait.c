/* System calls that do not wait. That an entry says its fd is non-blocking is never relied on: the
 * fd may have been closed and opened again since, or lost the flag. An acceptor asks once for each
 * row of accepts between which no other code runs here. Files that other processes
 * share are non-blocking only for the moment of a call, under a mutex of the process. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>

#include "hub/base/kernel.h"
#include "hub/fork_priv.h"
#include "hub/io/fd_priv.h"

int
fd_keep_from_blocking(int fd)
{
	int flags = kernel_fcntl(fd, F_GETFL, 0);
	struct hub_fd *entry;

	if (flags == -1 || (flags & O_NONBLOCK))
		return flags == -1 ? -1 : 0;
	entry = fd_known(fd);
	if (entry != NULL && !fd_renew(entry))
		return -1;
	return kernel_fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int
fd_accept_now(int fd, struct sockaddr *address, socklen_t *length)
{
	return fd_keep_from_blocking(fd) == 0 ? fd_accept_next(fd, address, length) : -1;
}

int
fd_accept_next(int fd, struct sockaddr *address, socklen_t *length)
{
	int client;

	do
		client = kernel_accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (client == -1 && errno == EINTR);
	return client;
}

/* Whether RWF_NOWAIT may work on the fd: it has not failed yet. */
static bool
may_have_nowait(int fd)
{
	const struct hub_fd *entry = fd_known(fd);

	return entry == NULL || !entry->lacks_nowait;
}

/* Whether the last call failed because this kind of file, this kernel, or a filter of system calls
 * that does not know the call, refuses it. */
static bool
is_unsupported(void)
{
	return errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM;
}

/* ---- what others share ---- */

/* Held during a moment: another thread must not restore the flags in the middle of it. */
static pthread_mutex_t moment = PTHREAD_MUTEX_INITIALIZER;

int
fd_moment_begin(int fd)
{
	int flags;

	pthread_mutex_lock(&moment);
	flags = kernel_fcntl(fd, F_GETFL, 0);
	if (flags != -1 && !(flags & O_NONBLOCK))
		kernel_fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return flags;
}

void
fd_moment_end(int fd, int flags)
{
	int error = errno;

	if (flags != -1 && !(flags & O_NONBLOCK))
		kernel_fcntl(fd, F_SETFL, flags);
	pthread_mutex_unlock(&moment);
	errno = error;
}

static void
reset(void)
{
	pthread_mutex_init(&moment, NULL);
}

static __attribute__((constructor(200))) void
register_reset(void)
{
	fork_on_child(reset);
}

/* Records that RWF_NOWAIT does not work on the fd. Returns whether the call may go on by other
 * means. */
static bool
has_no_nowait(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry != NULL)
		entry->lacks_nowait = true;
	return entry == NULL || fd_renew(entry);
}

typedef ssize_t call_fn(int fd, const struct iovec *parts, int count);

static ssize_t
call_in_moment(call_fn *call, int fd, const struct iovec *parts, int count)
{
	int flags = fd_moment_begin(fd);
	ssize_t result = flags == -1 ? -1 : call(fd, parts, count);

	fd_moment_end(fd, flags);
	return result;
}

ssize_t
fd_read_now(int fd, const struct iovec *parts, int count)
{
	ssize_t got = -1;

	errno = EOPNOTSUPP;
	if (may_have_nowait(fd))
		got = kernel_preadv2(fd, parts, count, -1, RWF_NOWAIT);
	if (got == -1 && is_unsupported() && has_no_nowait(fd))
		got = call_in_moment(kernel_readv, fd, parts, count);
	return got;
}

ssize_t
fd_write_now(int fd, const struct iovec *parts, int count)
{
	ssize_t sent = -1;

	errno = EOPNOTSUPP;
	if (may_have_nowait(fd))
		sent = kernel_pwritev2(fd, parts, count, -1, RWF_NOWAIT);
	if (sent == -1 && is_unsupported() && has_no_nowait(fd))
		sent = call_in_moment(kernel_writev, fd, parts, count);
	return sent;
}
