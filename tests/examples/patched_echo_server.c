/* The tutorial's echo server with monkey.patch_all(): plain accept, recv and send, in one thread.
 * Usage: example-patched-echo-server PORT (0 for a free one; it is printed) */
#include <arpa/inet.h>
#include <ctype.h>
#include <hubbub/hub.h>
#include <hubbub/patch/patch.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *
talk(void *argument)
{
	int client = (int)(intptr_t)argument;
	char buffer[1024];
	ssize_t received;

	while ((received = recv(client, buffer, sizeof buffer, 0)) > 0) {
		for (ssize_t i = 0; i < received; i++)
			buffer[i] = (char)toupper((unsigned char)buffer[i]);
		if (send(client, buffer, (size_t)received, MSG_NOSIGNAL) < 0)
			break;
	}
	close(client);
	return NULL;
}

static void *
serve(void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((in_port_t)(intptr_t)argument),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, client;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
		listen(listener, 1024) != 0) {
		perror("cannot listen");
		return NULL;
	}
	getsockname(listener, (struct sockaddr *)&address, &length);
	fprintf(stderr, "ready: 127.0.0.1:%d\n", ntohs(address.sin_port));
	while ((client = accept(listener, NULL, NULL)) >= 0)
		hub_detach(hub_spawn(talk, (void *)(intptr_t)client));
	perror("accept");
	return NULL;
}

int
main(int argc, char **argv)
{
	hub_patch_all();
	return hub_run(serve, (void *)(intptr_t)(argc > 1 ? atoi(argv[1]) : 9090), NULL) == 0 ? 0
											      : 1;
}
