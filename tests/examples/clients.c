/* The tutorial's client with 500 threads, as 500 coroutines in one: each connects, makes some
 * exchanges and checks every byte.
 * Usage: example-clients PORT [CLIENTS [EXCHANGES]] */
#include <arpa/inet.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int port, clients = 500, exchanges = 10;

/* Returns the number of exchanges that went right. */
static void *
client(void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);
	char message[64], expected[64], reply[64];
	intptr_t right = 0;

	if (fd == -1 || hub_connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		fprintf(stderr, "client %ld: %s\n", (long)(intptr_t)argument, strerror(errno));
		if (fd != -1)
			hub_close(fd);
		return NULL;
	}
	for (int i = 0; i < exchanges; i++) {
		int length = snprintf(message, sizeof message, "client %ld says hello %d",
			(long)(intptr_t)argument, i);

		snprintf(expected, sizeof expected, "CLIENT %ld SAYS HELLO %d",
			(long)(intptr_t)argument, i);
		if (hub_send(fd, message, (size_t)length, 0) != length ||
			hub_recv(fd, reply, (size_t)length, MSG_WAITALL) != length) {
			fprintf(stderr, "client %ld, exchange %d: %s\n", (long)(intptr_t)argument,
				i, strerror(errno));
			break;
		}
		if (memcmp(reply, expected, (size_t)length) != 0) {
			fprintf(stderr, "client %ld, exchange %d: '%.*s' is not '%s'\n",
				(long)(intptr_t)argument, i, length, reply, expected);
			break;
		}
		right++;
	}
	hub_close(fd);
	return (void *)right;
}

static void *
run_all(void *argument)
{
	struct hub_coroutine **all = calloc((size_t)clients, sizeof *all);
	long right = 0;

	for (int i = 0; i < clients; i++)
		all[i] = hub_spawn(client, (void *)(intptr_t)i);
	for (int i = 0; i < clients; i++) {
		void *result;

		hub_join(all[i], &result);
		right += (intptr_t)result;
	}
	free(all);
	printf("%d clients, %ld of %ld exchanges right\n", clients, right,
		(long)clients * exchanges);
	*(bool *)argument = right == (long)clients * exchanges;
	return NULL;
}

int
main(int argc, char **argv)
{
	bool all_right = false;

	port = argc > 1 ? atoi(argv[1]) : 9090;
	clients = argc > 2 ? atoi(argv[2]) : clients;
	exchanges = argc > 3 ? atoi(argv[3]) : exchanges;
	return hub_run(run_all, &all_right, NULL) == 0 && all_right ? 0 : 1;
}
