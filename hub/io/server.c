/* Sessions: one for each connection or datagram that is served, in a coroutine of the pool. A
 * session owns its client's fd, and ends in session_ended, a link of its coroutine, which runs even
 * if that coroutine was killed before it ever ran. The acceptor is in accepting.c, the end of a
 * server in stopping.c. */
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
#include "hub/io/served.h"
#include "hub/io/socket.h"
#include "hub/scheduler_priv.h"
#include "hub/timeout.h"

#define DATAGRAM_SIZE_DEFAULT 65536

/* ---- sessions ---- */

/* Closes the connection, unless other code has done so: then the fd may refer to another
 * connection. */
static void
session_close(const struct session *session)
{
	if (session->client != -1 && !fd_was_closed(&session->opening))
		hub_close(session->client);
}

/* The session's end: closes the connection before the counters and callbacks see it gone. */
static void
session_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct session *session = CONTAINER_OF(link, struct session, link);
	struct hub_server *server = session->server;

	DCHECK(session->coroutine == coroutine);
	CHECK(server->count > 0);
	session_close(session);
	list_remove(&session->siblings);
	free(session);
	server->count--;
	DCHECK((server->count == 0) == list_is_empty(&server->sessions));
	if (server->options.closed != NULL)
		server->options.closed(server->context);
	hub_event_set(&server->freed);
}

static void *
session_run(void *argument)
{
	struct session *session = argument;
	struct hub_server *server = session->server;

	if (server->handle != NULL)
		server->handle(&session->datagram, server->context);
	else
		server->serve(session->client, server->context);
	return NULL;
}

/* The session of the connection that the running coroutine serves; NULL if it serves none. */
static const struct session *
session_here(void)
{
	const struct hub_coroutine *self = hub_current();
	const struct session *session =
		self != NULL && self->body == session_run ? self->argument : NULL;

	return session != NULL && session->client != -1 ? session : NULL;
}

int
served_client(void)
{
	const struct session *session = session_here();

	return session != NULL && !fd_was_closed(&session->opening) ? session->client : -1;
}

const struct hub_mark *
served_mark(void)
{
	const struct session *session = session_here();

	return session != NULL ? &session->mark : NULL;
}

/* Whether the pool has the coroutine of each session; a pool that servers share has more. */
static bool
are_in_pool(const struct hub_server *server)
{
	size_t members = hub_pool_count(server->options.pool);

	return server->options.pool == &server->own_pool ? members == server->count
							 : members >= server->count;
}

int
session_start(struct hub_server *server, struct session *session)
{
	session->server = server;
	session->coroutine = hub_pool_spawn(server->options.pool, session_run, session);
	if (session->coroutine == NULL) {
		int error = errno;

		session_close(session);
		free(session);
		return error;
	}
	hub_set_name(session->coroutine, server->handle != NULL ? "datagram" : "connection");
	list_append(&server->sessions, &session->siblings);
	server->count++;
	DCHECK(are_in_pool(server));
	if (server->options.opened != NULL)
		server->options.opened(server->context);
	session->link.ended = session_ended;
	hub_link(session->coroutine, &session->link);
	return 0;
}

int
server_take_client(struct hub_server *server, int client)
{
	struct session *session = malloc(sizeof *session);

	if (session == NULL) {
		hub_close(client);
		return ENOMEM;
	}
	session->client = client;
	session->opening = fd_opening(client);
	/* Without it nobody would notice that other code has closed the connection. */
	CHECK(session->opening.entry != NULL);
	session->mark = (struct hub_mark){0};
	session->worked_at = session->asked_since = session->sent_since = 0;
	return session_start(server, session);
}

int
hub_server_serve(struct hub_server *server, int client)
{
	int error;

	if (hub_adopt(client) != 0) {
		error = errno;
		kernel_close(client);
	} else {
		error = server_take_client(server, client);
	}
	return failed(error);
}

/* Combines the descriptor's activity with what earlier visits found. */
static struct hub_connection
session_look(struct session *session)
{
	struct fd_activity activity = fd_activity(session->client);
	struct hub_connection connection = {.client = session->client,
		.mark = &session->mark,
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
		session->worked_at = hub_this->now;
	if (!activity.is_asked)
		session->asked_since = 0;
	else if (activity.is_new || connection.activity == HUB_ACTIVITY_OTHER)
		session->asked_since = hub_this->now;
	/* Of each fd only its server asks: a request that another caller had seen would be new to
	 * nobody here. */
	DCHECK((session->asked_since != 0) == activity.is_asked);
	if (activity.has_sent)
		session->sent_since = hub_this->now;
	connection.asked_since = session->asked_since;
	connection.sent_since = session->sent_since;
	connection.since =
		activity.active_at > session->worked_at ? activity.active_at : session->worked_at;
	DCHECK(connection.since <= hub_this->now);
	return connection;
}

/* Whether count is the number of sessions in the list. */
static bool
are_counted(const struct hub_server *server)
{
	size_t count = 0;

	LIST_EACH (link, &server->sessions)
		count++;
	return server->count == count;
}

void
hub_server_visit(struct hub_server *server,
	void (*visit)(const struct hub_connection *connection, void *context), void *context)
{
	DCHECK(are_counted(server));
	LIST_EACH (link, &server->sessions) {
		struct session *session = CONTAINER_OF(link, struct session, siblings);
		struct hub_connection connection;

		if (session->client == -1 || fd_was_closed(&session->opening))
			continue;
		connection = session_look(session);
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

	LIST_EACH (link, &server->sessions)
		if (CONTAINER_OF(link, struct session, siblings)->coroutine == self)
			return true;
	return false;
}

int
hub_server_wait(struct hub_server *server)
{
	if (hub_enter() == NULL)
		return hub_fail_in_turn();
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
server_kill_sessions(struct hub_server *server)
{
	struct hub_timeout shield;
	int deadlocks = 0;

	DCHECK(are_counted(server) && !server_is_serving_caller(server));
	LIST_EACH (link, &server->sessions)
		hub_kill(CONTAINER_OF(link, struct session, siblings)->coroutine);
	hub_shield_start(&shield);
	while (hub_server_wait(server) != 0)
		hub_wait_failed_again(&deadlocks,
			"deadlock: a server's connections do not end though they are killed");
	hub_shield_stop(&shield);
}

/* ---- the server ---- */

/* Makes the record of a server, with defaults filled in. NULL with errno. */
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
	list_init(&server->sessions);
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
	/* The program may close it like any fd of its own. */
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
		"a server is freed that accepts or still has connections");
	CHECK(list_is_empty(&server->sessions));
	hub_server_close(server);
	free(server);
}
