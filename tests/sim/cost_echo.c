/* Many echoes of 64 bytes over TCP in one process, for tests/sim/cost to count the instructions:
 * in a simulated world (sim-cost-echo), or with the real kernel (real-cost-echo).
 *
 *	sim-cost-echo CLIENTS ECHOES */
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#ifdef COST_IN_WORLD
#include <hubbub/sim.h>
#endif

#define SIZE 64
#define CLIENTS_MOST 1000

static long clients, echoes; /* echoes of each client */
static struct sockaddr_storage address;
static socklen_t address_length = sizeof address;

static void
serve(int client, void *context)
{
	char bytes[1000];
	ssize_t length;

	(void)context;
	while ((length = hub_recv(client, bytes, sizeof bytes, 0)) > 0)
		if (hub_send(client, bytes, (size_t)length, 0) != length)
			return;
}

static void *
be_client(void *unused)
{
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);
	char bytes[SIZE] = "";

	if (hub_connect(fd, (struct sockaddr *)&address, address_length) != 0)
		abort();
	for (long i = 0; i < echoes; i++)
		if (hub_send(fd, bytes, SIZE, 0) != SIZE ||
			hub_recv(fd, bytes, SIZE, MSG_WAITALL) != SIZE)
			abort();
	hub_close(fd);
	return unused;
}

static void *
body(void *unused)
{
	static struct hub_coroutine *all[CLIENTS_MOST];
	int listener = hub_create_server("127.0.0.1", "0", 0);
	struct hub_server *server = hub_stream_server_new(listener, serve, NULL, NULL);

	getsockname(listener, (struct sockaddr *)&address, &address_length);
	hub_server_start(server);
	for (long i = 0; i < clients; i++)
		all[i] = hub_spawn(be_client, NULL);
	for (long i = 0; i < clients; i++)
		hub_join(all[i], NULL);
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return unused;
}

static int
run(void)
{
#ifdef COST_IN_WORLD
	struct hub_sim_options options = {.files = 4 * CLIENTS_MOST};

	return hub_sim_run(1, &options, body, NULL);
#else
	return hub_run(body, NULL, NULL);
#endif
}

int
main(int argc, char **argv)
{
	clients = argc == 3 ? atol(argv[1]) : 0;
	echoes = argc == 3 ? atol(argv[2]) : 0;
	if (clients < 1 || clients > CLIENTS_MOST || echoes < 1) {
		fprintf(stderr, "usage: %s CLIENTS ECHOES\n", argv[0]);
		return 2;
	}
	return run() == 0 ? 0 : 1;
}
