/* What a server serves, and what others see of it. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/served.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/io/serving.h"

static struct hub_server *other;

static bool
take_over(void *context, int client)
{
	static int asked;

	(void)context;
	return ++asked % 2 == 0 && hub_server_serve(other, client) == 0;
}

static void *
take_over_body(void *argument)
{
	struct hub_server_options options = {.take_over = take_over};
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[4];
	int second = hub_create_server("127.0.0.1", "0", 0);
	struct hub_server *server;

	server = hub_stream_server_new(listener, serving_echo, NULL, &options);
	other = hub_stream_server_new(second, serving_echo, NULL, NULL);
	hub_server_start(server);
	for (int i = 0; i < 4; i++) {
		clients[i] = serving_connect(listener);
		trace_whether("served", serving_echoes(clients[i], 10 * HUB_SECOND));
	}
	trace_say("%zu and %zu", hub_server_connections(server), hub_server_connections(other));
	for (int i = 0; i < 4; i++)
		hub_close(clients[i]);
	hub_server_stop(server, HUB_SECOND);
	hub_server_stop(other, HUB_SECOND);
	hub_server_free(server);
	hub_server_free(other);
	return argument;
}

Test(server, connections_can_be_served_by_another)
{
	in_hub(take_over_body, NULL);
	cr_assert_str_eq(trace_text(), "served, served, served, served, 2 and 2");
}

/* Of all connections, and of all visits. */
static struct {
	int receiving, sending, other; /* connections */
	int received;                  /* those that have received something */
	int marks;                     /* the sum of the marks, each of which is raised */
	bool is_from_the_future;
} visited;

static void
count_activity(const struct hub_connection *connection, void *context)
{
	(void)context;
	visited.receiving += connection->activity == HUB_ACTIVITY_RECEIVING;
	visited.sending += connection->activity == HUB_ACTIVITY_SENDING;
	visited.other += connection->activity == HUB_ACTIVITY_OTHER;
	visited.received += connection->has_received;
	visited.marks += (int)connection->mark->value++;
	visited.is_from_the_future |= connection->since > hub_now();
	if (connection->activity == HUB_ACTIVITY_RECEIVING && connection->has_received)
		hub_end_input(connection->client);
}

static void
serve_by_first_byte(int client, void *context)
{
	static char bytes[16 << 20];
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) == 1) {
		if (byte == 's')
			hub_send(client, bytes, sizeof bytes, 0);
		else if (byte == 'o')
			hub_sleep(HUB_FOREVER);
	}
}

static void
count_only(const struct hub_connection *connection, void *context)
{
	((int *)context)[connection->activity] += connection->has_received ? 10 : 1;
}

/* Whether all four are at what they will be at. */
static bool
has_settled(struct hub_server *server)
{
	int counts[HUB_ACTIVITY_MAX] = {0};

	hub_server_visit(server, count_only, counts);
	return counts[HUB_ACTIVITY_RECEIVING] == 11 && counts[HUB_ACTIVITY_SENDING] == 10 &&
	       counts[HUB_ACTIVITY_OTHER] == 10;
}

static void *
visit_body(void *argument)
{
	static const char kinds[4] = {'r', 's', 'o', 0};
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[4];
	struct hub_server *server;
	char byte;

	server = hub_stream_server_new(listener, serve_by_first_byte, NULL, NULL);
	hub_server_start(server);
	for (int i = 0; i < 4; i++) {
		clients[i] = serving_connect(listener);
		if (kinds[i] != 0)
			hub_send(clients[i], &kinds[i], 1, 0);
	}
	for (int tries = 0; tries < 1000 && !has_settled(server); tries++)
		hub_sleep(5 * HUB_MILLISECOND);
	hub_server_visit(server, count_activity, NULL);
	/* The one whose input was ended is gone. */
	trace_call("recv", hub_recv(clients[0], &byte, 1, 0));
	for (int tries = 0; tries < 1000 && hub_server_connections(server) > 3; tries++)
		hub_sleep(5 * HUB_MILLISECOND);
	trace_say("%zu left", hub_server_connections(server));
	hub_server_visit(server, count_activity, NULL);
	for (int i = 0; i < 4; i++)
		hub_close(clients[i]);
	hub_server_stop(server, 10 * HUB_MILLISECOND);
	hub_server_free(server);
	return argument;
}

Test(server, a_visitor_sees_what_connections_do)
{
	in_hub(visit_body, NULL);
	cr_assert_str_eq(trace_text(), "recv 0, 3 left");
	/* Twice: one that has sent nothing, the sender, the sleeper; and once the one that was
	 * ended. */
	cr_assert_eq(visited.receiving, 3);
	cr_assert_eq(visited.sending, 2);
	cr_assert_eq(visited.other, 2);
	cr_assert_eq(visited.received, 5);
	cr_assert_eq(visited.marks, 3, "marks are remembered");
	cr_assert_not(visited.is_from_the_future);
}

static void
note_visit(const struct hub_connection *connection, void *context)
{
	(void)context;
	trace_say("visited %d", connection->client);
}

static void
handle(const struct hub_datagram *datagram, void *context)
{
	hub_server_visit(*(struct hub_server **)context, note_visit, NULL);
	trace_say("%zu of a datagram", datagram->length);
	trace_whether("served", served_client() != -1);
	trace_whether("marked", served_mark() != NULL);
}

static void *
datagram_body(void *argument)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	int client = socket(AF_INET, SOCK_DGRAM, 0);
	int socket = hub_socket(AF_INET, SOCK_DGRAM, 0);
	struct hub_server *server = hub_datagram_server_new(socket, handle, &server, NULL);

	bind(socket, (const struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET},
		sizeof(struct sockaddr_in));
	getsockname(socket, (struct sockaddr *)&address, &length);
	sendto(client, "hello", 5, 0, (const struct sockaddr *)&address, length);
	while (hub_server_accept_queued(server) != 1)
		hub_sleep(HUB_MILLISECOND);
	hub_server_wait(server);
	hub_server_free(server);
	close(client);
	return argument;
}

Test(server, a_datagram_is_no_connection)
{
	in_hub(datagram_body, NULL);
	cr_assert_str_eq(trace_text(), "5 of a datagram, not served, not marked");
}

/* ---- numbers that others close, and that are somebody else's when the server comes to them
 * ---- */

static struct {
	int number, peer;
	struct hub_event is_there;
} heir;

/* Closes its connection itself; the number goes to one who has something to lose. */
static void
serve_and_close(int client, void *context)
{
	int ends[2];

	(void)context;
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	hub_close(client);
	heir.number = dup2(ends[0], client);
	heir.peer = ends[1];
	close(ends[0]);
	hub_adopt(client);
	hub_event_set(&heir.is_there);
	hub_sleep(2 * HUB_MILLISECOND);
}

static void
end_all(const struct hub_connection *connection, void *context)
{
	(void)context;
	hub_end_input(connection->client);
}

static void *
closing_service_body(void *argument)
{
	char bytes[16];
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server = hub_stream_server_new(listener, serve_and_close, NULL, NULL);

	hub_server_start(server);
	client = serving_connect(listener);
	hub_event_wait(&heir.is_there);
	hub_server_visit(server, end_all, NULL);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	hub_close(client);
	send(heir.peer, "heir", 4, MSG_NOSIGNAL);
	trace_call("the heir's recv", hub_recv(heir.number, bytes, sizeof bytes, 0));
	trace_call("its next one", hub_recv(heir.number, bytes, sizeof bytes, MSG_DONTWAIT));
	hub_close(heir.number);
	close(heir.peer);
	return argument;
}

Test(server, closes_and_ends_only_what_it_was_given)
{
	in_hub(closing_service_body, NULL);
	cr_assert_str_eq(trace_text(), "the heir's recv 4, its next one EAGAIN");
}

/* The listener is another server's when the first one goes on, and when it is stopped. */
static void *
closed_listener_body(void *argument)
{
	struct hub_server_options options = {.accept_failed = serving_failed};
	int listener = hub_create_server("127.0.0.1", "0", 0), second, client, accepted;
	struct hub_server *server;

	second = hub_create_server("127.0.0.1", "0", 0);
	server = hub_stream_server_new(listener, serving_echo, argument, &options);
	hub_server_start(server);
	hub_sleep(0);
	hub_close(listener);
	dup2(second, listener);
	hub_adopt(listener);
	client = serving_connect(second);
	hub_sleep(2 * HUB_MILLISECOND);
	trace_say("%zu connections", hub_server_connections(server));
	trace_call("stop", hub_server_stop(server, HUB_MILLISECOND));
	trace_call("start", hub_server_start(server));
	hub_server_free(server);
	accepted = hub_accept(listener, NULL, NULL);
	trace_whether("accepted by the successor", accepted >= 0);
	hub_close(accepted);
	hub_close(listener);
	hub_close(second);
	hub_close(client);
	return NULL;
}

Test(server, whose_listener_is_closed_leaves_its_successor_alone)
{
	struct serving record = {0};

	in_hub(closed_listener_body, &record);
	cr_assert_str_eq(
		trace_text(), "0 connections, stop 0, start EBADF, accepted by the successor");
	cr_assert_geq(record.failed, 1);
}
