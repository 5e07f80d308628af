#include "hub/io/server_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/base/room.h"
#include "hub/io/activity.h"
#include "hub/io/dismiss_priv.h"
#include "hub/io/fd_priv.h"
#include "hub/io/own.h"
#include "hub/io/socket.h"
#include "hub/scheduler_priv.h"
#include "hub/timeout.h"

#define DATAGRAM_SIZE_DEFAULT 65536
#define DEADLOCKS_MAX 4

/* ---- guests ---- */

/* Unless the service, or whoever else, has done so: then the number may be another connection's. */
static void
guest_close(const struct guest *guest)
{
	if (guest->client != -1 && !fd_was_closed(&guest->opening))
		hub_close(guest->client);
}

static void
guest_left(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct guest *guest = CONTAINER_OF(link, struct guest, link);
	struct hub_server *server = guest->server;

	(void)coroutine;
	guest_close(guest);
	list_remove(&guest->siblings);
	free(guest);
	server->count--;
	if (server->options.closed != NULL)
		server->options.closed(server->context);
	hub_event_set(&server->freed);
}

static void *
guest_run(void *argument)
{
	struct guest *guest = argument;
	struct hub_server *server = guest->server;

	if (server->handle != NULL)
		server->handle(&guest->datagram, server->context);
	else
		server->serve(guest->client, server->context);
	return NULL;
}

int
server_enter(struct hub_server *server, struct guest *guest)
{
	struct hub_timeout shield;

	guest->server = server;
	/* Whoever was accepted is served, though the acceptor may have been killed meanwhile. */
	hub_shield_start(&shield);
	guest->coroutine = hub_pool_spawn(server->options.pool, guest_run, guest);
	hub_shield_stop(&shield);
	if (guest->coroutine == NULL) {
		int error = errno;

		guest_close(guest);
		free(guest);
		return error;
	}
	hub_set_name(guest->coroutine, server->handle != NULL ? "datagram" : "connection");
	list_append(&server->guests, &guest->siblings);
	server->count++;
	if (server->options.opened != NULL)
		server->options.opened(server->context);
	guest->link.ended = guest_left;
	hub_link(guest->coroutine, &guest->link);
	return 0;
}

int
server_welcome(struct hub_server *server, int client)
{
	struct guest *guest = malloc(sizeof *guest);

	if (guest == NULL) {
		hub_close(client);
		return ENOMEM;
	}
	guest->client = client;
	guest->opening = fd_opening(client);
	guest->mark = (struct hub_mark){0};
	guest->worked_at = guest->asked_since = guest->sent_since = 0;
	return server_enter(server, guest);
}

int
hub_server_serve(struct hub_server *server, int client)
{
	int error;

	if (hub_adopt(client) != 0) {
		error = errno;
		kernel_close(client);
	} else {
		error = server_welcome(server, client);
	}
	return failed(error);
}

/* What the descriptor tells, and what it told before. */
static struct hub_connection
guest_look(struct guest *guest)
{
	struct fd_activity activity = fd_activity(guest->client);
	struct hub_connection connection = {.client = guest->client,
		.mark = &guest->mark,
		.has_received = activity.has_come,
		.is_receiving = activity.is_receiving,
		.is_asked = activity.is_asked,
		.is_busy = activity.is_busy,
		.is_settled = activity.is_settled,
		.input_is_ended = activity.has_ended};

	if (activity.is_sending)
		connection.activity = HUB_ACTIVITY_SENDING;
	else if (activity.is_receiving)
		connection.activity = HUB_ACTIVITY_RECEIVING;
	else
		guest->worked_at = hub_this->now;
	if (!activity.is_asked)
		guest->asked_since = 0;
	else if (activity.is_new || connection.activity == HUB_ACTIVITY_OTHER)
		guest->asked_since = hub_this->now;
	if (activity.has_sent)
		guest->sent_since = hub_this->now;
	connection.asked_since = guest->asked_since;
	connection.sent_since = guest->sent_since;
	connection.since =
		activity.active_at > guest->worked_at ? activity.active_at : guest->worked_at;
	return connection;
}

void
hub_server_visit(struct hub_server *server,
	void (*visit)(const struct hub_connection *connection, void *context), void *context)
{
	LIST_EACH (link, &server->guests) {
		struct guest *guest = CONTAINER_OF(link, struct guest, siblings);
		struct hub_connection connection;

		if (fd_was_closed(&guest->opening))
			continue;
		connection = guest_look(guest);
		visit(&connection, context);
	}
}

size_t
hub_server_connections(const struct hub_server *server)
{
	return server->count;
}

bool
server_is_serving_caller(const struct hub_server *server)
{
	struct hub_coroutine *self = hub_current();

	LIST_EACH (link, &server->guests)
		if (CONTAINER_OF(link, struct guest, siblings)->coroutine == self)
			return true;
	return false;
}

int
hub_server_wait(struct hub_server *server)
{
	if (hub_enter() == NULL)
		return -1;
	if (server_is_serving_caller(server))
		return failed(EDEADLK);
	while (server->count > 0) {
		hub_event_clear(&server->freed);
		if (hub_event_wait(&server->freed) != 0)
			return -1;
	}
	return 0;
}

void
server_expel(struct hub_server *server)
{
	struct hub_timeout shield;
	int deadlocks = 0;

	LIST_EACH (link, &server->guests)
		hub_kill(CONTAINER_OF(link, struct guest, siblings)->coroutine);
	hub_shield_start(&shield);
	while (hub_server_wait(server) != 0) {
		deadlocks += errno != EINTR;
		CHECK_WHY(deadlocks < DEADLOCKS_MAX,
			"deadlock: a server's connections do not end though they are killed");
	}
	hub_shield_stop(&shield);
}

/* ---- the server ---- */

static struct hub_server *
server_new(int socket, void *context, const struct hub_server_options *options)
{
	struct hub_server *server;

	if (options != NULL && !ROOM_IS_EMPTY(options))
		return NULL;
	server = calloc(1, sizeof *server);
	if (server == NULL)
		return NULL;
	server->socket = socket;
	server->reserve = -1;
	server->context = context;
	if (options != NULL)
		server->options = *options;
	if (server->options.pool == NULL) {
		hub_pool_init(&server->own_pool, 0);
		server->options.pool = &server->own_pool;
	}
	if (server->options.datagram_size == 0)
		server->options.datagram_size = DATAGRAM_SIZE_DEFAULT;
	list_init(&server->guests);
	return server;
}

struct hub_server *
hub_stream_server_new(
	int listener, hub_serve_fn *serve, void *context, const struct hub_server_options *options)
{
	struct hub_server *server = server_new(listener, context, options);

	if (server == NULL)
		return NULL;
	server->serve = serve;
	server->reserve = hub_own(kernel_eventfd(0, EFD_CLOEXEC));
	/* It may be closed like any other. */
	hub_disown(server->reserve);
	return server;
}

struct hub_server *
hub_datagram_server_new(int socket, hub_datagram_fn *handle, void *context,
	const struct hub_server_options *options)
{
	struct hub_server *server = server_new(socket, context, options);

	if (server != NULL)
		server->handle = handle;
	return server;
}

size_t
hub_server_dismiss(struct hub_server *server, int64_t nanoseconds)
{
	CHECK_WHY(server->acceptor == NULL, "hub_server_dismiss before hub_server_pause");
	if (server->handle != NULL || server->socket == -1 || hub_current() == NULL)
		return 0;
	return dismiss_queued(server->socket, &server->reserve, nanoseconds);
}

void
hub_server_retry(struct hub_server *server)
{
	hub_event_set(&server->freed);
}

void
hub_server_close(struct hub_server *server)
{
	CHECK_WHY(server->acceptor == NULL, "hub_server_close before hub_server_pause");
	if (server->socket != -1)
		hub_close(server->socket);
	if (server->reserve != -1)
		kernel_close(server->reserve);
	server->socket = server->reserve = -1;
}

void
hub_server_free(struct hub_server *server)
{
	if (server == NULL)
		return;
	CHECK_WHY(server->acceptor == NULL && server->count == 0,
		"a server is freed that accepts or serves somebody");
	hub_server_close(server);
	free(server);
}
