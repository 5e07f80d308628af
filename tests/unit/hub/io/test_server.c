#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	int errors[12];
	int opened, closed, failed, waited;
	int counts[8];
	char text[16];
	struct hub_event go;
};

static struct record *current;

static void
echo(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) == 1)
		hub_send(client, &byte, 1, 0);
}

static void
opened(void *context)
{
	((struct record *)context)->opened++;
}

static void
closed(void *context)
{
	((struct record *)context)->closed++;
}

static void
accept_failed(void *context, int error, bool will_wait)
{
	(void)error;
	((struct record *)context)->failed++;
	((struct record *)context)->waited += will_wait;
}

static int
connect_to(int listener)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	hub_connect(fd, (struct sockaddr *)&address, length);
	return fd;
}

/* Whether the peer echoes within that time. */
static bool
is_echoed(int fd, int64_t patience)
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

static void *
stream_body(void *argument)
{
	struct hub_server_options options = {.opened = opened, .closed = closed};
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[4];
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, echo, current, &options);
	clients[0] = connect_to(listener);
	current->errors[0] = is_echoed(clients[0], 2 * HUB_MILLISECOND);
	hub_server_start(server);
	current->errors[1] = hub_server_start(server) == -1 ? errno : 0;
	current->errors[2] = is_echoed(clients[0], 10 * HUB_SECOND);
	hub_server_pause(server);
	clients[1] = connect_to(listener);
	current->errors[3] = is_echoed(clients[1], 2 * HUB_MILLISECOND);
	hub_server_start(server);
	current->errors[4] = is_echoed(clients[1], 10 * HUB_SECOND);
	current->counts[0] = (int)hub_server_connections(server);
	hub_server_pause(server);
	/* Queued when the end comes: still served. */
	clients[2] = connect_to(listener);
	hub_send(clients[2], "q", 1, 0);
	shutdown(clients[2], SHUT_WR);
	hub_close(clients[0]);
	current->errors[5] = hub_server_stop(server, 500 * HUB_MILLISECOND) == -1 ? errno : 0;
	current->counts[1] = (int)hub_server_connections(server);
	current->errors[6] = (int)hub_recv(clients[2], current->text, 16, 0);
	do
		current->errors[7] = (int)hub_recv(clients[1], current->text + 8, 8, 0);
	while (current->errors[7] > 0);
	current->errors[8] = hub_server_start(server) == -1 ? errno : 0;
	hub_server_free(server);
	hub_close(clients[1]);
	hub_close(clients[2]);
	return NULL;
}

Test(server, starts_pauses_and_stops_without_losing_the_queued)
{
	struct record record = {0};

	in_hub(stream_body, &record);
	cr_assert_not(record.errors[0]);
	cr_assert_eq(record.errors[1], EALREADY);
	cr_assert(record.errors[2]);
	cr_assert_eq(record.counts[0], 2);
	cr_assert(record.errors[4]);
	cr_assert_eq(record.errors[5], ETIMEDOUT, "%d", record.errors[5]);
	cr_assert_eq(record.counts[1], 0);
	cr_assert_eq(record.errors[6], 1, "the queued one is lost");
	cr_assert_eq(record.text[0], 'q');
	cr_assert_eq(record.errors[7], 0, "one that was killed is not closed");
	cr_assert_eq(record.errors[8], EBADF);
	cr_assert_eq(record.opened, 3);
	cr_assert_eq(record.closed, 3);
}

static void *
pool_body(void *argument)
{
	struct hub_pool pool;
	struct hub_server_options options = {.pool = &pool};
	int listener = hub_create_server("127.0.0.1", "0", 0), first, second;
	struct hub_server *server;

	current = argument;
	hub_pool_init(&pool, 1);
	server = hub_stream_server_new(listener, echo, NULL, &options);
	hub_server_start(server);
	first = connect_to(listener);
	current->errors[0] = is_echoed(first, 10 * HUB_SECOND);
	second = connect_to(listener);
	current->errors[1] = is_echoed(second, 5 * HUB_MILLISECOND);
	hub_close(first);
	current->errors[2] = is_echoed(second, 10 * HUB_SECOND);
	hub_close(second);
	current->errors[3] = hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(server, a_full_pool_leaves_clients_in_the_kernels_queue)
{
	struct record record = {0};

	in_hub(pool_body, &record);
	cr_assert(record.errors[0]);
	cr_assert_not(record.errors[1]);
	cr_assert(record.errors[2]);
	cr_assert_eq(record.errors[3], 0);
}

static void *
limit_body(void *argument)
{
	struct hub_server_options options = {.accept_failed = accept_failed};
	struct rlimit before, low;
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, echo, current, &options);
	client = connect_to(listener);
	getrlimit(RLIMIT_NOFILE, &before);
	low = (struct rlimit){(rlim_t)client + 1, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &low);
	hub_server_start(server);
	current->errors[0] = is_echoed(client, 5 * HUB_MILLISECOND);
	setrlimit(RLIMIT_NOFILE, &before);
	current->errors[1] = is_echoed(client, 10 * HUB_SECOND);
	hub_close(client);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(server, out_of_descriptors_it_waits_and_goes_on)
{
	struct record record = {0};

	if (on_valgrind())
		cr_skip_test("it has descriptors of its own");
	in_hub(limit_body, &record);
	cr_assert_not(record.errors[0]);
	cr_assert(record.errors[1]);
	cr_assert_geq(record.waited, 1);
	cr_assert_eq(record.failed, record.waited);
}

static void
reply(const struct hub_datagram *datagram, void *context)
{
	(void)context;
	hub_sendto(datagram->socket, datagram->data, datagram->length, 0,
		(const struct sockaddr *)&datagram->address, datagram->address_length);
}

static void *
datagram_body(void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct hub_server_options options = {.datagram_size = 8};
	socklen_t length = sizeof address;
	int socket = hub_socket(AF_INET, SOCK_DGRAM, 0),
	    client = hub_socket(AF_INET, SOCK_DGRAM, 0);
	struct hub_server *server;

	current = argument;
	bind(socket, (struct sockaddr *)&address, sizeof address);
	getsockname(socket, (struct sockaddr *)&address, &length);
	server = hub_datagram_server_new(socket, reply, NULL, &options);
	hub_server_start(server);
	hub_sendto(client, "ping", 4, 0, (struct sockaddr *)&address, sizeof address);
	current->errors[0] = (int)hub_recv(client, current->text, 16, 0);
	hub_sendto(client, "longer than that", 16, 0, (struct sockaddr *)&address, sizeof address);
	current->errors[1] = (int)hub_recv(client, current->text + 4, 12, 0);
	current->errors[2] = hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	hub_close(client);
	return NULL;
}

Test(server, datagrams)
{
	struct record record = {0};

	in_hub(datagram_body, &record);
	cr_assert_eq(record.errors[0], 4);
	cr_assert_eq(record.errors[1], 8);
	cr_assert_eq(memcmp(record.text, "pinglonger t", 12), 0);
	cr_assert_eq(record.errors[2], 0);
}

static void *
kill_woken_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, echo, NULL, NULL);
	for (int i = 0; i < 50; i++) {
		hub_server_start(server);
		hub_sleep(0);
		client = connect_to(listener);
		/* Whether the acceptor has been woken for it or not. */
		if (i % 2)
			hub_sleep(0);
		hub_server_pause(server);
		hub_server_start(server);
		current->counts[0] += is_echoed(client, 10 * HUB_SECOND);
		hub_close(client);
		hub_server_pause(server);
	}
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(server, a_pause_loses_no_connection)
{
	struct record record = {0};

	in_hub(kill_woken_body, &record);
	cr_assert_eq(record.counts[0], 50);
}

static struct hub_server *own;

static void
stop_own(int client, void *context)
{
	struct record *record = context;

	(void)client;
	record->errors[0] = hub_server_stop(own, HUB_SECOND) == -1 ? errno : 0;
}

static void *
stop_own_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0), client;

	current = argument;
	own = hub_stream_server_new(listener, stop_own, current, NULL);
	hub_server_start(own);
	client = connect_to(listener);
	hub_recv(client, current->text, 1, 0);
	hub_close(client);
	hub_server_stop(own, 10 * HUB_SECOND);
	hub_server_free(own);
	return NULL;
}

Test(server, a_handler_cannot_stop_its_own_server_and_is_told)
{
	struct record record = {0};

	in_hub(stop_own_body, &record);
	cr_assert_eq(record.errors[0], EDEADLK);
}

/* ---- what a framework around it needs ---- */

static bool
may_accept(void *context)
{
	struct record *record = context;

	if (record->counts[0] == 0)
		return false;
	record->counts[0]--;
	return true;
}

static void
not_accepted(void *context)
{
	((struct record *)context)->counts[0]++;
}

static void *
permit_body(void *argument)
{
	struct hub_server_options options = {.opened = opened,
		.closed = closed,
		.may_accept = may_accept,
		.not_accepted = not_accepted};
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[2];
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, echo, current, &options);
	current->counts[0] = 1;
	hub_server_start(server);
	for (int i = 0; i < 2; i++)
		clients[i] = connect_to(listener);
	current->errors[0] = is_echoed(clients[0], 10 * HUB_SECOND);
	current->errors[1] = is_echoed(clients[1], 20 * HUB_MILLISECOND);
	current->counts[1] = current->opened;
	current->counts[0] = 1;
	hub_server_retry(server);
	current->errors[2] = is_echoed(clients[1], 10 * HUB_SECOND);
	/* Waiting for another client takes no permit. */
	current->counts[0] = 1;
	hub_server_retry(server);
	hub_sleep(5 * HUB_MILLISECOND);
	current->counts[2] = current->counts[0];
	for (int i = 0; i < 2; i++)
		hub_close(clients[i]);
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(server, nothing_is_accepted_that_is_not_permitted)
{
	struct record record = {0};

	in_hub(permit_body, &record);
	cr_assert(record.errors[0]);
	cr_assert_not(record.errors[1], "accepted without a permit");
	cr_assert_eq(record.counts[1], 1);
	cr_assert(record.errors[2]);
	cr_assert_eq(record.counts[2], 1, "one who waits holds a permit");
	cr_assert_eq(record.opened, 2);
	cr_assert_eq(record.closed, 2);
}

static struct hub_server *other;

static bool
take_over(void *context, int client)
{
	struct record *record = context;

	return ++record->counts[0] % 2 == 0 && hub_server_serve(other, client) == 0;
}

static void *
take_over_body(void *argument)
{
	struct hub_server_options options = {.take_over = take_over};
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[4];
	int second = hub_create_server("127.0.0.1", "0", 0);
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, echo, current, &options);
	other = hub_stream_server_new(second, echo, current, NULL);
	hub_server_start(server);
	for (int i = 0; i < 4; i++) {
		clients[i] = connect_to(listener);
		current->errors[i] = is_echoed(clients[i], 10 * HUB_SECOND);
	}
	current->counts[1] = (int)hub_server_connections(server);
	current->counts[2] = (int)hub_server_connections(other);
	for (int i = 0; i < 4; i++)
		hub_close(clients[i]);
	hub_server_stop(server, HUB_SECOND);
	hub_server_stop(other, HUB_SECOND);
	hub_server_free(server);
	hub_server_free(other);
	return NULL;
}

Test(server, connections_can_be_served_by_another)
{
	struct record record = {0};

	in_hub(take_over_body, &record);
	for (int i = 0; i < 4; i++)
		cr_assert(record.errors[i], "client %d", i);
	cr_assert_eq(record.counts[1], 2);
	cr_assert_eq(record.counts[2], 2);
}

static void
count_activity(const struct hub_connection *connection, void *context)
{
	struct record *record = context;

	record->counts[connection->activity]++;
	record->counts[4] += connection->has_received;
	record->counts[5] += (int)connection->mark->value++;
	record->errors[5] |= connection->since > hub_now();
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

	current = argument;
	server = hub_stream_server_new(listener, serve_by_first_byte, current, NULL);
	hub_server_start(server);
	for (int i = 0; i < 4; i++) {
		clients[i] = connect_to(listener);
		if (kinds[i] != 0)
			hub_send(clients[i], &kinds[i], 1, 0);
	}
	for (int tries = 0; tries < 1000 && !has_settled(server); tries++)
		hub_sleep(5 * HUB_MILLISECOND);
	hub_server_visit(server, count_activity, current);
	/* The one whose input was ended is gone. */
	current->errors[0] = (int)hub_recv(clients[0], current->text, 1, 0);
	for (int tries = 0; tries < 1000 && hub_server_connections(server) > 3; tries++)
		hub_sleep(5 * HUB_MILLISECOND);
	current->counts[6] = (int)hub_server_connections(server);
	hub_server_visit(server, count_activity, current);
	for (int i = 0; i < 4; i++)
		hub_close(clients[i]);
	hub_server_stop(server, 10 * HUB_MILLISECOND);
	hub_server_free(server);
	return NULL;
}

Test(server, a_visitor_sees_what_connections_do)
{
	struct record record = {.errors = {-2}};

	in_hub(visit_body, &record);
	/* Twice: one that has sent nothing, the sender, the sleeper; and once the one that was
	 * ended. */
	cr_assert_eq(record.counts[HUB_ACTIVITY_RECEIVING], 3);
	cr_assert_eq(record.counts[HUB_ACTIVITY_SENDING], 2);
	cr_assert_eq(record.counts[HUB_ACTIVITY_OTHER], 2);
	cr_assert_eq(record.counts[4], 5, "who has received something");
	cr_assert_eq(record.counts[5], 3, "marks are remembered");
	cr_assert_eq(record.errors[5], 0);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.counts[6], 3);
}

/* ---- numbers that others close, and that are somebody else's when the server comes to them
 * ---- */

/* Closes its connection itself; the number goes to one who has something to lose. */
static void
serve_and_close(int client, void *context)
{
	struct record *record = context;
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	hub_close(client);
	record->counts[0] = dup2(ends[0], client);
	record->counts[1] = ends[1];
	close(ends[0]);
	hub_adopt(client);
	hub_event_set(&record->go);
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
	struct record *record = argument;
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server = hub_stream_server_new(listener, serve_and_close, record, NULL);

	hub_server_start(server);
	client = connect_to(listener);
	hub_event_wait(&record->go);
	hub_server_visit(server, end_all, NULL);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	hub_close(client);
	send(record->counts[1], "heir", 4, MSG_NOSIGNAL);
	record->errors[0] = (int)hub_recv(record->counts[0], record->text, 16, 0);
	record->errors[1] = errno;
	record->errors[2] = (int)hub_recv(record->counts[0], record->text, 16, MSG_DONTWAIT);
	record->errors[3] = errno;
	hub_close(record->counts[0]);
	close(record->counts[1]);
	return NULL;
}

Test(server, closes_and_ends_only_what_it_was_given)
{
	struct record record = {0};

	in_hub(closing_service_body, &record);
	cr_assert_eq(record.errors[0], 4, "%s", strerror(record.errors[1]));
	cr_assert_eq(record.errors[2], -1, "the heir's input was ended");
	cr_assert_eq(record.errors[3], EAGAIN);
}

/* The listener is another server's when the first one goes on, and when it is stopped. */
static void *
closed_listener_body(void *argument)
{
	struct hub_server_options options = {.accept_failed = accept_failed};
	int listener = hub_create_server("127.0.0.1", "0", 0), second, client;
	struct hub_server *server;

	current = argument;
	second = hub_create_server("127.0.0.1", "0", 0);
	server = hub_stream_server_new(listener, echo, current, &options);
	hub_server_start(server);
	hub_sleep(0);
	hub_close(listener);
	dup2(second, listener);
	hub_adopt(listener);
	client = connect_to(second);
	hub_sleep(2 * HUB_MILLISECOND);
	current->counts[0] = (int)hub_server_connections(server);
	current->errors[0] = hub_server_stop(server, HUB_MILLISECOND) == -1 ? errno : 0;
	current->errors[1] = hub_server_start(server) == -1 ? errno : 0;
	hub_server_free(server);
	current->counts[1] = hub_accept(listener, NULL, NULL);
	hub_close(current->counts[1]);
	hub_close(listener);
	hub_close(second);
	hub_close(client);
	return NULL;
}

Test(server, whose_listener_is_closed_leaves_its_successor_alone)
{
	struct record record = {0};

	in_hub(closed_listener_body, &record);
	cr_assert_eq(record.counts[0], 0, "it accepts what is another's");
	cr_assert_eq(record.errors[0], 0, "%s", strerror(record.errors[0]));
	cr_assert_eq(record.errors[1], EBADF);
	cr_assert_geq(record.counts[1], 0, "the successor is closed");
	cr_assert_geq(record.failed, 1);
}
