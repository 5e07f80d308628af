/* The socket options of a listening or datagram socket, and its bind. TCP and UDP sockets get
 * SO_REUSEPORT before bind, since that is how they join the kernel's group of their address. */
#include "master/sockets/bind.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"

#define DATAGRAM_BUFFER                                                                            \
	(4 << 20) /* bytes; without CAP_NET_ADMIN the kernel cuts it to net.core.rmem_max */

static bool
try_flag(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Sets an option that the server can do without, and logs a failure. */
static void
set_flag(int fd, int level, int option)
{
	if (!try_flag(fd, level, option))
		log_warning("cannot set socket option %d: %s", option, strerror(errno));
}

void
bind_set_flags(const struct address *address, int fd)
{
	int buffer = DATAGRAM_BUFFER;

	switch (address->kind) {
	case ADDRESS_TCP:
		/* Accepted sockets inherit TCP_NODELAY: no reply is held back to be merged with the
		 * next. */
		set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
		break;
	case ADDRESS_UDP:
		/* Datagrams that come while a hub is busy wait in this buffer, or are lost. */
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
		/* A reply can leave from the address that the datagram was sent to. */
		if (address->socket.ss_family == AF_INET6)
			set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
		else
			set_flag(fd, IPPROTO_IP, IP_PKTINFO);
		break;
	case ADDRESS_UNIX:
		break;
	}
}

/* Binds fd as a member of the address's group. Returns 0, or -1 with errno; then no file is left at
 * a Unix socket's path. */
static int
bind_socket(struct address *address, int fd)
{
	int error, off = 0;

	/* On a datagram socket SO_REUSEADDR would let any user's socket share the port. */
	if (address->kind == ADDRESS_TCP && !try_flag(fd, SOL_SOCKET, SO_REUSEADDR))
		return -1;
	if (address->kind != ADDRESS_UNIX && !try_flag(fd, SOL_SOCKET, SO_REUSEPORT))
		return -1;
	bind_set_flags(address, fd);
	/* :: also accepts IPv4, whatever net.ipv6.bindv6only says. */
	if (address->socket.ss_family == AF_INET6 &&
		IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&address->socket)->sin6_addr))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, (struct sockaddr *)&address->socket, address->length) != 0)
		return -1;
	/* The kernel has replaced port 0: the other seats must bind to the port that it chose. */
	if (getsockname(fd, (struct sockaddr *)&address->socket, &address->length) == 0)
		return 0;
	error = errno;
	if (address->kind == ADDRESS_UNIX)
		unlink(address_path(address));
	errno = error;
	return -1;
}

int
bind_address(struct address *address)
{
	int type = address->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int error, fd = socket(address->socket.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || bind_socket(address, fd) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
