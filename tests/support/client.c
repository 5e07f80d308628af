#include "tests/support/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
client_connect(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct timeval limit = {10, 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
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
