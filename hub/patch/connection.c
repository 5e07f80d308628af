/* Connections: accept and connect. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/io/fd.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/report_priv.h"

#define PAUSE_MAX (64 * HUB_MILLISECOND)

/* accept4(2) has no flag for not waiting. So the listening socket is made non-blocking in the
 * kernel, which the application is not told; where that cannot be, one that another process is
 * quicker to take makes this wait. */
static int
accept_on_coroutine(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	struct patience patience = {.fd = fd, .events = POLLIN};
	int client;

	if (descriptor_is_nonblocking(fd))
		return kernel_accept4(fd, address, size, flags);
	for (;;) {
		bool is_hidden = descriptor_hide_nonblocking(fd) == 0;
		struct pollfd query = {.fd = fd, .events = POLLIN};

		errno = EAGAIN;
		if (is_hidden || kernel_poll_now(&query, 1) != 0) {
			client = kernel_accept4(fd, address, size, flags);
			if (client != -1 || errno != EAGAIN)
				return client;
		}
		if (!patience_wait(&patience, 0)) {
			errno = errno == ESHUTDOWN ? EINVAL : errno;
			return -1;
		}
	}
}

/* Off a coroutine, too, a socket that a coroutine has made non-blocking is blocking to the
 * application. */
static int
accept_by_thread(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	int client;

	while ((client = REAL(accept4)(fd, address, size, flags)) == -1 && errno == EAGAIN &&
		descriptor_is_hidden(fd)) {
		struct pollfd query = {.fd = fd, .events = POLLIN};

		if (REAL(poll)(&query, 1, -1) < 0)
			return -1;
	}
	return client;
}

int
patch_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	int64_t began = 0;
	int client;

	if (patch_suspends(HUB_PATCH_SOCKET)) {
		client = accept_on_coroutine(fd, address, size, flags);
	} else {
		if (atomic_load(&patch_active) & PATCH_REPORTED)
			began = report_begin();
		client = accept_by_thread(fd, address, size, flags);
		if (began != 0)
			report_end(CALL_accept4, began);
	}
	descriptor_new(client);
	return client;
}

int
patch_accept(int fd, struct sockaddr *address, socklen_t *size)
{
	return patch_accept4(fd, address, size, 0);
}

/* Begins to connect; the flag is ours for as long as that takes. */
static int
connect_now(int fd, const struct sockaddr *address, socklen_t size)
{
	int flags = kernel_fcntl(fd, F_GETFL, 0), result, error;

	if (flags == -1)
		return -1;
	if (!(flags & O_NONBLOCK))
		kernel_fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	result = kernel_connect(fd, address, size);
	error = errno;
	if (!(flags & O_NONBLOCK))
		kernel_fcntl(fd, F_SETFL, flags);
	errno = error;
	return result;
}

/* A Unix socket whose backlog is full answers EAGAIN and cannot be polled for room. */
static int
connect_retry(struct patience *patience, const struct sockaddr *address, socklen_t size)
{
	uint32_t generation = descriptor_generation(patience->fd);
	struct timespec pause = {0, HUB_MILLISECOND};
	int result;

	while ((result = connect_now(patience->fd, address, size)) == -1 && errno == EAGAIN &&
		address->sa_family == AF_UNIX) {
		int64_t left = patience_left(patience);

		if (left == 0) {
			errno = EAGAIN;
			return -1;
		}
		if (left < pause.tv_nsec)
			pause.tv_nsec = left;
		if (patch_nanosleep(&pause, NULL) != 0)
			return -1;
		if (descriptor_generation(patience->fd) != generation) {
			errno = EBADF;
			return -1;
		}
		if (pause.tv_nsec < PAUSE_MAX)
			pause.tv_nsec *= 2;
	}
	return result;
}

/* What became of it: 0, or -1 with errno. */
static int
socket_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		return -1;
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

int
patch_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct patience patience = {.fd = fd, .events = POLLOUT};

	if (descriptor_is_nonblocking(fd))
		return kernel_connect(fd, address, size);
	/* Asked again, the kernel tells how it ended and puts the socket into the state that goes
	 * with that; which it does not, where only SO_ERROR is asked for. EALREADY: a call before
	 * was interrupted, or it is not over yet. */
	while (connect_retry(&patience, address, size) != 0) {
		if (errno != EINPROGRESS && errno != EALREADY)
			return -1;
		if (!patience_wait(&patience, 0)) {
			/* As connect(2) with SO_SNDTIMEO. */
			errno = errno == EAGAIN ? EINPROGRESS : errno;
			return -1;
		}
		if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
			return socket_error(fd);
	}
	return 0;
}
