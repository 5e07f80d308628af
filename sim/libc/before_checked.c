/* What libc's calls are named in programs that are compiled with _FORTIFY_SOURCE, where the size of
 * the buffer is not known before the run. */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/libc/before_priv.h"

/* Headers declare these only where _FORTIFY_SOURCE is defined. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

_Noreturn void __chk_fail(void);

#define CHECK_SIZE(needed, size)                                                                   \
	do {                                                                                       \
		if ((needed) > (size))                                                             \
			__chk_fail();                                                              \
	} while (0)

EXPORT ssize_t
__read_chk(int fd, void *buffer, size_t length, size_t size)
{
	CHECK_SIZE(length, size);
	return read(fd, buffer, length);
}

EXPORT ssize_t
__recv_chk(int fd, void *buffer, size_t length, size_t size, int flags)
{
	CHECK_SIZE(length, size);
	return recv(fd, buffer, length, flags);
}

EXPORT ssize_t
__recvfrom_chk(int fd, void *buffer, size_t length, size_t size, int flags,
	struct sockaddr *address, socklen_t *address_length)
{
	CHECK_SIZE(length, size);
	return recvfrom(fd, buffer, length, flags, address, address_length);
}

EXPORT int
__poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
	CHECK_SIZE(count, size / sizeof *fds);
	return poll(fds, count, timeout);
}

EXPORT int
__ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
	size_t size)
{
	CHECK_SIZE(count, size / sizeof *fds);
	return ppoll(fds, count, timeout, mask);
}
