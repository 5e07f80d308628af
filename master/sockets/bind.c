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
	(4 << 20) /* bytes; as many as net.core.rmem_max allows who may not exceed it */

static bool
try_flag(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* One that can be done without. */
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
		/* Accepted sockets inherit it: a reply is not held back for more. */
		set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
		break;
	case ADDRESS_UDP:
		/* What comes while a hub does something else has to wait somewhere. */
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
		/* A reply leaves from the address that was asked. */
		if (address->socket.ss_family == AF_INET6)
			set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
		else
			set_flag(fd, IPPROTO_IP, IP_PKTINFO);
		break;
	case ADDRESS_UNIX:
		break;
	}
}

/* Binds it as a member of its group. Returns 0, or -1 with errno, and leaves no path. */
static int
bind_socket(struct address *address, int fd)
{
	int error, off = 0;

	/* To a datagram socket it would mean what SO_REUSEPORT does, for anybody. */
	if (address->kind == ADDRESS_TCP && !try_flag(fd, SOL_SOCKET, SO_REUSEADDR))
		return -1;
	if (address->kind != ADDRESS_UNIX && !try_flag(fd, SOL_SOCKET, SO_REUSEPORT))
		return -1;
	bind_set_flags(address, fd);
	/* All addresses are v4, too, whatever net.ipv6.bindv6only says. */
	if (address->socket.ss_family == AF_INET6 &&
		IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&address->socket)->sin6_addr))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, (struct sockaddr *)&address->socket, address->length) != 0)
		return -1;
	/* Port 0 becomes a real one, which the others must share. */
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
