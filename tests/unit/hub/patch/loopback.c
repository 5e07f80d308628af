/* None of it asserts: the callers are coroutines, and notice by what follows. */
#include "tests/unit/hub/patch/loopback.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BACKLOG 64

int
loopback_listen(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	bind(fd, (struct sockaddr *)&address, sizeof address);
	listen(fd, BACKLOG);
	return fd;
}

int
loopback_connect(int listener)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &size);
	if (connect(fd, (struct sockaddr *)&address, size) == 0)
		return fd;
	close(fd);
	return -1;
}

void *
loopback_accept_one(void *listener)
{
	close(accept(*(int *)listener, NULL, NULL));
	return NULL;
}

void
loopback_limit(int fd, int option, long microseconds)
{
	struct timeval time = {0, microseconds};

	setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}
