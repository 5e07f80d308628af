/* The service is an echo of single bytes. */
#include "tests/unit/hub/io/serving.h"

#include <netinet/in.h>
#include <sys/socket.h>

void
serving_echo(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) == 1)
		hub_send(client, &byte, 1, 0);
}

void
serving_opened(void *context)
{
	((struct serving *)context)->opened++;
}

void
serving_closed(void *context)
{
	((struct serving *)context)->closed++;
}

void
serving_failed(void *context, int error, bool will_wait)
{
	(void)error;
	((struct serving *)context)->failed++;
	((struct serving *)context)->waited += will_wait;
}

int
serving_connect(int listener)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	hub_connect(fd, (struct sockaddr *)&address, length);
	return fd;
}

bool
serving_echoes(int fd, int64_t patience)
{
	struct hub_timeout scope;
	char byte = 'x';

	hub_timeout_start(&scope, patience);
	hub_send(fd, &byte, 1, 0);
	if (hub_recv(fd, &byte, 1, 0) != 1)
		byte = 0;
	hub_timeout_stop(&scope);
	return byte == 'x';
}
