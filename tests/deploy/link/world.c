/* A program's test in a simulated world: two coroutines talk over TCP for a day. */
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static void
serve(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) == 1)
		hub_send(client, &byte, 1, 0);
}

static void *
talk(void *unused)
{
	int listener = hub_create_server("127.0.0.1", "7000", 0), client;
	struct hub_server *server = hub_stream_server_new(listener, serve, NULL, NULL);
	char byte = 'a';

	hub_server_start(server);
	client = hub_create_connection("127.0.0.1", "7000");
	for (int hour = 0; hour < 24; hour++) {
		hub_sleep(3600 * HUB_SECOND);
		if (hub_send(client, &byte, 1, 0) != 1 || hub_recv(client, &byte, 1, 0) != 1 ||
			byte != 'a')
			hub_sim_fail("hour %d has no echo", hour);
	}
	hub_close(client);
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return unused;
}

int
main(void)
{
	if (hub_sim_search(1, 20, NULL, talk, NULL) == 0)
		return 0;
	puts(hub_sim_report());
	return 1;
}
