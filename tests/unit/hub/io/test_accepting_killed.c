/* An acceptor that is killed while it has a connection or a datagram. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/serving.h"

static struct serving *current;

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

	current = argument;
	server = hub_stream_server_new(listener, serving_echo, NULL, &options);
	hub_server_start(server);
	client = serving_connect(listener);
	current->errors[0] = serving_echoes(client, 10 * HUB_SECOND);
	hub_close(client);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(accepting_killed, a_connection_is_served)
{
	struct serving record = {0};

	in_hub(killed_acceptor_body, &record);
	cr_assert(record.errors[0], "the connection is lost");
}

static void
reply(const struct hub_datagram *datagram, void *context)
{
	(void)context;
	hub_sendto(datagram->socket, datagram->data, datagram->length, 0,
		(const struct sockaddr *)&datagram->address, datagram->address_length);
}

static void *
wait_for_event(void *argument)
{
	hub_event_wait(argument);
	return NULL;
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

	current = argument;
	bind(socket, (struct sockaddr *)&address, sizeof address);
	getsockname(socket, (struct sockaddr *)&address, &length);
	hub_pool_init(&pool, 1);
	server = hub_datagram_server_new(socket, reply, NULL, &options);
	hub_server_start(server);
	/* It finds room, and waits for a datagram, before the pool is filled. */
	hub_sleep(50 * HUB_MILLISECOND);
	hub_pool_spawn(&pool, wait_for_event, &current->go);
	hub_sendto(client, "ping", 4, 0, (struct sockaddr *)&address, sizeof address);
	current->errors[0] = recv(socket, current->text, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
	for (int i = 0; i < 5000 && recv(socket, current->text, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
		i++)
		hub_sleep(HUB_MILLISECOND);
	pauser = hub_spawn(pause_it, server);
	until_it_waits(pauser);
	hub_event_set(&current->go);
	hub_join(pauser, NULL);
	current->errors[1] = hub_await_fd(client, POLLIN, HUB_SECOND) == 0 ? 0 : errno;
	current->errors[2] = (int)hub_recv(client, current->text, 16, MSG_DONTWAIT);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	hub_pool_join(&pool);
	hub_close(client);
	return NULL;
}

Test(accepting_killed, a_datagram_is_handled)
{
	struct serving record = {0};

	in_hub(killed_receiver_body, &record);
	cr_assert(record.errors[0], "the datagram was handled before the kill");
	cr_assert_eq(record.errors[2], 4, "the datagram is lost");
}
