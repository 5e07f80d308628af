/* Random clients of a server inside one hub, in random worlds. A visitor compares what
 * hub_server_visit tells of each connection with what has moved over it, and ends the input of
 * some; then the server ends, by any of its calls. Each client gets its own bytes back, or is ended
 * where the server may do that; and what is counted adds up. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/service.h"
#include "tests/sim/worlds.h"

enum { WORLDS = 20, CLIENTS = 12, LONGEST = 3000, MESSAGES = 5 };

#define LASTS (2 * HUB_SECOND)
#define PATIENCE (60 * HUB_SECOND)
/* By which what the hub notes may be behind: it reads its clock now and then. */
#define GRAIN (5 * HUB_MILLISECOND)
#define QUIET (100 * HUB_MILLISECOND)
#define DISMISS_TIME HUB_SECOND

TestSuite(random_connections, .timeout = 120);

struct client {
	struct hub_coroutine *coroutine;
	const char *does; /* for messages */
	int64_t connected_at;
	size_t sent, echoed;
};

static struct {
	struct sockaddr_storage address;
	socklen_t length;
	struct hub_server *server;
	struct client clients[CLIENTS];
	unsigned opened, closed, permits, asked;
	unsigned told;     /* connections whose input was ended */
	int64_t ending_at; /* when the server began to end; HUB_FOREVER: not yet */
	bool is_over;
} world;

/* ---- clients ---- */

static unsigned char
letter(size_t at)
{
	return (unsigned char)(at * 7 + at / 256);
}

static bool
speak(struct client *client, int fd)
{
	unsigned char bytes[LONGEST];
	size_t length = 1 + below(once_in(3) ? LONGEST : 20);
	ssize_t sent;

	for (size_t i = 0; i < length; i++)
		bytes[i] = letter(client->sent + i);
	client->does = "sends";
	sent = hub_send(fd, bytes, length, 0);
	client->sent += sent > 0 ? (size_t)sent : 0;
	return sent == (ssize_t)length;
}

/* Receives once. Returns as recv(2). */
static ssize_t
listen_once(struct client *client, int fd)
{
	unsigned char bytes[LONGEST];
	ssize_t got;

	client->does = "receives";
	got = hub_recv(fd, bytes, sizeof bytes, 0);
	for (ssize_t i = 0; i < got; i++, client->echoed++)
		if (client->echoed >= client->sent || bytes[i] != letter(client->echoed))
			wrong("a client receives a byte that is not its own");
	return got;
}

/* The server has ended the connection, or an error has. Clients that were queued, or served, when
 * the server began to end, are let go without an error, unless they were killed. */
static void
was_ended(const struct client *client, int error)
{
	bool is_queued = client->echoed == 0 && client->connected_at < world.ending_at - QUIET;

	if (in_trouble() || world.told > 0)
		return;
	if (world.ending_at == HUB_FOREVER)
		wrong("a client %s, and is ended (errno %d) while the server serves", client->does,
			error);
	else if (is_queued && error != 0 && hub_now() < world.ending_at + DISMISS_TIME / 2)
		wrong("a client that waits is dismissed with errno %d", error);
}

static void
converse(struct client *client, int fd)
{
	for (unsigned left = 1 + below(MESSAGES); left > 0 && !world.is_over; left--) {
		errno = 0;
		if (!speak(client, fd)) {
			was_ended(client, errno);
			return;
		}
		while (client->echoed < client->sent) {
			ssize_t got = listen_once(client, fd);

			if (got <= 0) {
				was_ended(client, got == 0 ? 0 : errno);
				return;
			}
		}
		client->does = "pauses";
		hub_sleep(below(once_in(4) ? 600 : 30) * HUB_MILLISECOND);
	}
}

/* Sends and sends, and reads nothing. */
static void
flood(struct client *client, int fd)
{
	static const unsigned char bytes[64 * 1024];

	client->does = "floods";
	for (unsigned left = below(100); left > 0; left--)
		if (hub_send(fd, bytes, sizeof bytes, 0) != sizeof bytes)
			return;
}

static void
leave(int fd)
{
	struct linger at_once = {1, 0};
	static char bytes[64 * 1024];

	if (once_in(5))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	else if (once_in(2) && hub_shutdown(fd, SHUT_WR) == 0)
		while (hub_recv(fd, bytes, sizeof bytes, 0) > 0)
			continue;
	hub_close(fd);
}

static void *
be_client(void *argument)
{
	struct client *client = argument;

	while (!world.is_over && !is_wrong()) {
		int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

		client->sent = client->echoed = 0;
		client->does = "connects";
		if (fd != -1 &&
			hub_connect(fd, (struct sockaddr *)&world.address, world.length) == 0) {
			client->connected_at = hub_now();
			if (once_in(6))
				flood(client, fd);
			else
				converse(client, fd);
		}
		client->does = "leaves";
		if (fd != -1)
			leave(fd);
		hub_sleep((1 + below(50)) * HUB_MILLISECOND);
	}
	return NULL;
}

/* ---- what the server tells ---- */

static bool
may_accept(void *unused)
{
	(void)unused;
	if (world.permits == 0)
		return false;
	world.permits--;
	world.asked++;
	return true;
}

static void
give_back(void *unused)
{
	(void)unused;
	world.permits++;
	hub_server_retry(world.server);
}

static void
opened(void *unused)
{
	(void)unused;
	world.opened++;
}

static void
closed(void *unused)
{
	world.closed++;
	give_back(unused);
}

/* Times are checked in worlds where nobody is slow. */
static void
check_times(const struct session *session, const struct hub_connection *connection)
{
	int64_t now = hub_now(), quiet = session->moved_at;

	if (session->receiving > 0 && session->receiving_since > quiet)
		quiet = session->receiving_since;
	if (connection->since > now)
		wrong("a connection has been quiet since a time to come");
	if (connection->since < session->moved_at - GRAIN)
		wrong("a connection is said to be quiet for %ld us, but bytes have moved since",
			(long)(now - connection->since) / 1000);
	if (session->receiving > 0 && connection->is_receiving && now - quiet > QUIET &&
		connection->since > quiet + GRAIN)
		wrong("a connection has been quiet for %ld us, and is said to be for %ld",
			(long)(now - quiet) / 1000, (long)(now - connection->since) / 1000);
}

static void
visit(const struct hub_connection *connection, void *unused)
{
	struct session *session = service_session(connection->client);

	(void)unused;
	if (session == NULL)
		return;
	if (connection->has_received != session->has_received)
		wrong("has_received is not as it is");
	if (session->sending == 0 && connection->is_asked != session->is_asked)
		wrong("is_asked is not as it is");
	if (connection->input_is_ended != session->is_told)
		wrong("input_is_ended is not as it is");
	if (connection->is_receiving && session->receiving == 0)
		wrong("a connection is said to wait to receive, and nobody does");
	if (connection->activity == HUB_ACTIVITY_SENDING && session->sending == 0)
		wrong("a connection is said to send, and nobody does");
	if (!in_trouble())
		check_times(session, connection);
	if (world.told > 0 && once_in(20)) {
		hub_end_input(connection->client);
		session->is_told = true;
	}
}

static void *
look_often(void *unused)
{
	while (hub_sleep(below(once_in(5) ? 200 : 20) * HUB_MILLISECOND) == 0)
		hub_server_visit(world.server, visit, NULL);
	return unused;
}

/* ---- the end ---- */

/* Serves those that are queued, or lets them go. */
static void
end_queue(void)
{
	int64_t began = hub_now();

	hub_server_pause(world.server);
	while (once_in(2) && hub_server_accept_queued(world.server) == 1)
		continue;
	if (once_in(2)) {
		world.ending_at = hub_now();
		hub_server_dismiss(world.server, DISMISS_TIME);
		if (hub_now() - began > DISMISS_TIME + HUB_SECOND)
			wrong("clients are dismissed for too long");
	}
}

static void
end_server(void)
{
	unsigned permits = world.permits + world.opened - world.closed;

	if (once_in(2))
		end_queue();
	if (world.ending_at == HUB_FOREVER)
		world.ending_at = hub_now();
	hub_server_stop(world.server, below(3) * HUB_SECOND);
	if (hub_server_connections(world.server) != 0 || world.opened != world.closed)
		wrong("%u connections were opened, %u closed", world.opened, world.closed);
	if (world.permits < permits)
		wrong("of %u permits %u are left", permits, world.permits);
	hub_server_free(world.server);
}

static void
join(struct client *client)
{
	if (hub_join_for(client->coroutine, NULL, PATIENCE) == 0)
		return;
	wrong("a client %s for ever", client->does);
	hub_kill(client->coroutine);
	hub_join(client->coroutine, NULL);
}

static void *
body(void *unused)
{
	struct hub_server_options options = {.opened = opened,
		.closed = closed,
		.may_accept = may_accept,
		.not_accepted = give_back};
	struct hub_coroutine *looker;
	int listener;

	world = (typeof(world)){.permits = 1 + below(2 * CLIENTS),
		.told = once_in(2),
		.ending_at = HUB_FOREVER,
		.length = sizeof world.address};
	/* In trouble there may be none at first. */
	while ((listener = hub_create_server("127.0.0.1", "0", 0)) == -1)
		continue;
	getsockname(listener, (struct sockaddr *)&world.address, &world.length);
	world.server = hub_stream_server_new(listener, service_serve, NULL, &options);
	hub_server_start(world.server);
	for (int i = 0; i < CLIENTS; i++)
		world.clients[i].coroutine = hub_spawn(be_client, &world.clients[i]);
	looker = hub_spawn(look_often, NULL);
	hub_sleep(below(10) * LASTS / 10);
	hub_kill(looker);
	hub_join(looker, NULL);
	end_server();
	world.is_over = true;
	for (int i = 0; i < CLIENTS; i++)
		join(&world.clients[i]);
	return unused;
}

Test(random_connections, are_told_of_as_they_are)
{
	in_worlds(body, WORLDS);
}
