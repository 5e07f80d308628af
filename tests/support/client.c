/* Every socket has a timeout for sending and receiving, so that a server that hangs fails the test
 * instead of blocking it. With a sanitizer the timeout is longer. */
#include "tests/support/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/program.h"

static int
connect_to(int type, const struct sockaddr *address, socklen_t length)
{
	struct timeval limit = {(time_t)program_patience(10), 0};
	int fd = socket(address->sa_family, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, address, length) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
connect_port(int type, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect_to(type, (struct sockaddr *)&address, sizeof address);
}

int
client_connect(int port)
{
	return connect_port(SOCK_STREAM, port);
}

int
client_connect_udp(int port)
{
	return connect_port(SOCK_DGRAM, port);
}

int
client_connect_path(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	return connect_to(SOCK_STREAM, (struct sockaddr *)&name, sizeof name);
}

bool
client_exchange(int fd, const char *text, const char *expected)
{
	size_t length = strlen(text), wanted = strlen(expected);
	char reply[4096];

	return send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length && wanted <= sizeof reply &&
	       recv(fd, reply, wanted, MSG_WAITALL) == (ssize_t)wanted &&
	       memcmp(reply, expected, wanted) == 0;
}

bool
client_is_answered(int fd, const char *text, const char *expected)
{
	bool is_so = fd != -1 && client_exchange(fd, text, expected);

	if (fd != -1)
		close(fd);
	return is_so;
}

bool
client_sees_end(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 0;
}

void
client_reset(int fd)
{
	struct linger at_once = {1, 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(fd);
}
