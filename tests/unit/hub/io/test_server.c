/* What a server serves, and what others see of it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/serving.h"

static struct serving *current;

static struct hub_server *other;

static bool
take_over(void *context, int client)
{
	struct serving *record = context;

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
	server = hub_stream_server_new(listener, serving_echo, current, &options);
	other = hub_stream_server_new(second, serving_echo, current, NULL);
	hub_server_start(server);
	for (int i = 0; i < 4; i++) {
		clients[i] = serving_connect(listener);
		current->errors[i] = serving_echoes(clients[i], 10 * HUB_SECOND);
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
	struct serving record = {0};

	in_hub(take_over_body, &record);
	for (int i = 0; i < 4; i++)
		cr_assert(record.errors[i], "client %d", i);
	cr_assert_eq(record.counts[1], 2);
	cr_assert_eq(record.counts[2], 2);
}

static void
count_activity(const struct hub_connection *connection, void *context)
{
	struct serving *record = context;

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
		clients[i] = serving_connect(listener);
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
	struct serving record = {.errors = {-2}};

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
	struct serving *record = context;
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
	struct serving *record = argument;
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server = hub_stream_server_new(listener, serve_and_close, record, NULL);

	hub_server_start(server);
	client = serving_connect(listener);
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
	struct serving record = {0};

	in_hub(closing_service_body, &record);
	cr_assert_eq(record.errors[0], 4, "%s", strerror(record.errors[1]));
	cr_assert_eq(record.errors[2], -1, "the heir's input was ended");
	cr_assert_eq(record.errors[3], EAGAIN);
}

/* The listener is another server's when the first one goes on, and when it is stopped. */
static void *
closed_listener_body(void *argument)
{
	struct hub_server_options options = {.accept_failed = serving_failed};
	int listener = hub_create_server("127.0.0.1", "0", 0), second, client;
	struct hub_server *server;

	current = argument;
	second = hub_create_server("127.0.0.1", "0", 0);
	server = hub_stream_server_new(listener, serving_echo, current, &options);
	hub_server_start(server);
	hub_sleep(0);
	hub_close(listener);
	dup2(second, listener);
	hub_adopt(listener);
	client = serving_connect(second);
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
	struct serving record = {0};

	in_hub(closed_listener_body, &record);
	cr_assert_eq(record.counts[0], 0, "it accepts what is another's");
	cr_assert_eq(record.errors[0], 0, "%s", strerror(record.errors[0]));
	cr_assert_eq(record.errors[1], EBADF);
	cr_assert_geq(record.counts[1], 0, "the successor is closed");
	cr_assert_geq(record.failed, 1);
}
