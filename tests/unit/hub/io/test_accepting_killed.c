/* An acceptor that is killed while it has a connection or a datagram. */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/io/serving.h"

static bool
admits_and_dies(void *context, const struct sockaddr_storage *address)
{
	(void)context, (void)address;
	hub_kill(hub_current());
	return true;
}

static void *
killed_acceptor_body(void *argument)
{
	struct hub_server_options options = {.admits = admits_and_dies};
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server;

	server = hub_stream_server_new(listener, serving_echo, NULL, &options);
	hub_server_start(server);
	client = serving_connect(listener);
	trace_whether("served", serving_echoes(client, 10 * HUB_SECOND));
	hub_close(client);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return argument;
}

Test(accepting_killed, a_connection_is_served)
{
	in_hub(killed_acceptor_body, NULL);
	cr_assert_str_eq(trace_text(), "served");
}

static void
reply(const struct hub_datagram *datagram, void *context)
{
	(void)context;
	hub_sendto(datagram->socket, datagram->data, datagram->length, 0,
		(const struct sockaddr *)&datagram->address, datagram->address_length);
}

static struct hub_event go;

static void *
wait_for_event(void *argument)
{
	hub_event_wait(&go);
	return argument;
}

/* Whether a datagram is there that nobody has received. */
static bool
has_datagram(int socket)
{
	char byte;

	return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static void *
pause_it(void *argument)
{
	hub_server_pause(argument);
	return NULL;
}

static void *
killed_receiver_body(void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct hub_pool pool;
	struct hub_server_options options = {.datagram_size = 8, .pool = &pool};
	socklen_t length = sizeof address;
	int socket = hub_socket(AF_INET, SOCK_DGRAM, 0),
	    client = hub_socket(AF_INET, SOCK_DGRAM, 0);
	struct hub_coroutine *pauser;
	struct hub_server *server;
	char bytes[16];

	bind(socket, (struct sockaddr *)&address, sizeof address);
	getsockname(socket, (struct sockaddr *)&address, &length);
	hub_pool_init(&pool, 1);
	server = hub_datagram_server_new(socket, reply, NULL, &options);
	hub_server_start(server);
	/* It finds room, and waits for a datagram, before the pool is filled. */
	hub_sleep(50 * HUB_MILLISECOND);
	hub_pool_spawn(&pool, wait_for_event, NULL);
	hub_sendto(client, "ping", 4, 0, (struct sockaddr *)&address, sizeof address);
	trace_whether("handled before the kill", !has_datagram(socket));
	for (int i = 0; i < 5000 && has_datagram(socket); i++)
		hub_sleep(HUB_MILLISECOND);
	pauser = hub_spawn(pause_it, server);
	until_it_waits(pauser);
	hub_event_set(&go);
	hub_join(pauser, NULL);
	hub_await_fd(client, POLLIN, HUB_SECOND);
	trace_call("recv of the answer", hub_recv(client, bytes, sizeof bytes, MSG_DONTWAIT));
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	hub_pool_join(&pool);
	hub_close(client);
	return argument;
}

Test(accepting_killed, a_datagram_is_handled)
{
	in_hub(killed_receiver_body, NULL);
	cr_assert_str_eq(trace_text(), "not handled before the kill, recv of the answer 4");
}
