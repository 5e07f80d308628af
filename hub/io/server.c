#include "hub/io/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/io/fd_priv.h"
#include "hub/io/opening.h"
#include "hub/io/socket.h"
#include "hub/io/wait_priv.h"
#include "hub/link.h"
#include "hub/scheduler_priv.h"
#include "hub/sync/event.h"
#include "hub/timeout.h"

#define PAUSE_FIRST (10 * HUB_MILLISECOND)
#define PAUSE_MOST HUB_SECOND
#define DATAGRAM_SIZE_DEFAULT 65536
#define DEADLOCKS_MAX 4
#define ACCEPTS_IN_A_ROW 64 /* then everybody else gets a turn */

struct hub_server {
	int socket;                 /* -1 once it is closed */
	struct fd_opening listener; /* what the socket is, while the server uses it */
	hub_serve_fn *serve;
	hub_datagram_fn *handle; /* NULL for a stream server */
	void *context;
	struct hub_server_options options;
	struct hub_pool own_pool;
	struct hub_coroutine *acceptor; /* NULL while it is paused */
	struct list guests;
	size_t count;
	struct hub_event closed; /* set whenever a guest leaves */
	struct hub_event permitted;
	int64_t pause;     /* before the next try; 0 after a success */
	unsigned in_a_row; /* accepted without having waited */
};

/* A connection or a datagram that is being served. It goes when its coroutine has ended, even if
 * that was killed before it ever ran. */
struct guest {
	struct hub_link link;
	struct list siblings;
	struct hub_server *server;
	struct hub_coroutine *coroutine;
	int client; /* -1 for a datagram */
	struct fd_opening opening;
	struct hub_mark mark;
	struct hub_datagram datagram;
	unsigned char data[];
};

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
	hub_event_set(&server->closed);
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

/* Starts serving; owns the guest from now on, and on failure frees it and closes its connection.
 * Returns 0, or an errno. */
static int
guest_enter(struct hub_server *server, struct guest *guest)
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

/* ---- the socket ---- */

/* Begins to use it: from here on it is known if others close it. */
static void
socket_begin(struct hub_server *server)
{
	server->listener = fd_opening(server->socket);
}

static void
socket_end(struct hub_server *server)
{
	if (fd_was_closed(&server->listener))
		server->socket = -1;
	server->listener = (struct fd_opening){0};
}

/* ---- accepting ---- */

/* What to do about a failure. accept(2) hands on errors of the connection that it would have
 * returned, and a datagram socket those of earlier replies; they are that peer's alone. */
enum verdict { VERDICT_NEXT, VERDICT_WAIT, VERDICT_END };

/* Whether connections cannot be accepted there at all: the kernel says EOPNOTSUPP of single ones,
 * too. */
static bool
is_no_listener(const struct hub_server *server)
{
	int listens = 0;
	socklen_t length = sizeof listens;

	return server->handle == NULL && (kernel_getsockopt(server->socket, SOL_SOCKET,
						  SO_ACCEPTCONN, &listens, &length) != 0 ||
						 !listens);
}

static enum verdict
judge(const struct hub_server *server, int error)
{
	/* Killed or timed out: errno may be the same as a peer's. */
	if (hub_enter() == NULL)
		return VERDICT_END;
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return VERDICT_WAIT;
	case ECANCELED:
	case EDEADLK:
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
		return VERDICT_END;
	case EOPNOTSUPP:
		return is_no_listener(server) ? VERDICT_END : VERDICT_NEXT;
	default:
		return VERDICT_NEXT;
	}
}

/* Waits until a guest leaves, which frees what was lacking, or the pause is over. Returns 0 or an
 * errno. */
static int
back_off(struct hub_server *server)
{
	struct hub_timeout scope;
	int error = 0;

	server->pause = server->pause == 0 ? PAUSE_FIRST : server->pause * 2;
	/* What is queued is accepted on the way to an end, which may be called off. */
	if (server->pause > PAUSE_MOST || server->acceptor == NULL)
		server->pause = server->acceptor == NULL ? PAUSE_FIRST : PAUSE_MOST;
	hub_event_clear(&server->closed);
	hub_timeout_start(&scope, server->pause);
	if (hub_event_wait(&server->closed) != 0)
		error = errno;
	return hub_timeout_stop(&scope) && error == ETIMEDOUT ? 0 : error;
}

/* Serves a connection that the hub knows; owns it. Returns 0 or an errno. */
static int
welcome(struct hub_server *server, int client)
{
	struct guest *guest = malloc(sizeof *guest);

	if (guest == NULL) {
		hub_close(client);
		return ENOMEM;
	}
	guest->client = client;
	guest->opening = fd_opening(client);
	guest->mark = (struct hub_mark){0};
	return guest_enter(server, guest);
}

/* Waits until may_accept may be asked again. Returns 0 or an errno. */
static int
wait_permitted(struct hub_server *server)
{
	hub_event_clear(&server->permitted);
	return hub_event_wait(&server->permitted) == 0 ? 0 : errno;
}

static int
wait_queued(struct hub_server *server)
{
	struct hub_fd *entry = hub_enter() != NULL ? fd_lookup(hub_this, server->socket) : NULL;

	server->in_a_row = 0;
	if (entry != NULL && fd_wait_read(entry, "accept") == 0)
		return 0;
	return fd_was_closed(&server->listener) ? EBADF : errno;
}

/* Accepts what is queued now, if that is permitted. Returns the connection, or -1 with errno. */
static int
accept_now(struct hub_server *server)
{
	int client, error;

	client = fd_accept_now(server->socket, NULL, NULL);
	if (client != -1)
		return client;
	error = errno;
	if (server->options.not_accepted != NULL)
		server->options.not_accepted(server->context);
	errno = error;
	return -1;
}

/* Takes one connection from the socket into a new guest. Returns 0 or an errno; EAGAIN if it may
 * not wait and none is queued. */
static int
take_connection(struct hub_server *server, bool may_wait)
{
	const struct hub_server_options *options = &server->options;
	struct hub_fd *entry;
	int client, error = ENOMEM;

	if (options->may_accept != NULL && !options->may_accept(server->context))
		return may_wait ? wait_permitted(server) : EAGAIN;
	client = accept_now(server);
	if (client == -1 && errno == EAGAIN && may_wait)
		return wait_queued(server);
	if (client == -1)
		return errno;
	if (options->take_over != NULL && options->take_over(server->context, client))
		return 0;
	entry = fd_enter_new(hub_this, client, true);
	if (entry == NULL) {
		kernel_close(client);
	} else {
		/* A client seldom speaks before it is accepted: wait for it instead of asking
		 * first. */
		entry->drained_for = FD_ANYBODY;
		error = welcome(server, client);
	}
	if (error != 0 && options->not_accepted != NULL)
		options->not_accepted(server->context);
	return error;
}

static int
take_datagram(struct hub_server *server, bool may_wait)
{
	size_t size = server->options.datagram_size;
	struct guest *guest = malloc(sizeof *guest + size);
	struct guest *smaller;
	ssize_t length;

	if (guest == NULL)
		return ENOMEM;
	guest->client = -1;
	guest->datagram.address_length = sizeof guest->datagram.address;
	length = hub_recvfrom(server->socket, guest->data, size, may_wait ? 0 : MSG_DONTWAIT,
		(struct sockaddr *)&guest->datagram.address, &guest->datagram.address_length);
	if (length < 0) {
		int error = errno;

		free(guest);
		return error;
	}
	/* A short one, in a handler that waits, is not to hold the memory of the longest. */
	smaller = realloc(guest, sizeof *guest + (size_t)length);
	if (smaller != NULL)
		guest = smaller;
	guest->datagram.socket = server->socket;
	guest->datagram.data = guest->data;
	guest->datagram.length = (size_t)length;
	return guest_enter(server, guest);
}

/* Takes one. Returns 0 (go on, also after a failure that is only a peer's), or an errno: EAGAIN if
 * it may not wait and none is queued. */
static int
take_one(struct hub_server *server, bool may_wait)
{
	int error = 0;
	enum verdict verdict;

	if (may_wait && (++server->in_a_row >= ACCEPTS_IN_A_ROW || hub_tick(hub_this))) {
		server->in_a_row = 0;
		hub_pause(hub_this);
		if (hub_enter() == NULL)
			return errno;
	}
	/* While the pool is full, whoever comes is better off in the kernel's queue. */
	if (hub_pool_wait(server->options.pool) != 0)
		return errno;
	if (fd_was_closed(&server->listener))
		error = EBADF;
	else
		error = server->handle != NULL ? take_datagram(server, may_wait)
					       : take_connection(server, may_wait);
	if (error == 0)
		server->pause = 0;
	if (error == 0 || (error == EAGAIN && !may_wait))
		return error;
	verdict = judge(server, error);
	if (server->options.accept_failed != NULL && error != ECANCELED)
		server->options.accept_failed(server->context, error, verdict == VERDICT_WAIT);
	if (verdict == VERDICT_WAIT)
		return back_off(server);
	return verdict == VERDICT_END ? error : 0;
}

static void *
accept_all(void *argument)
{
	while (take_one(argument, true) == 0)
		continue;
	return NULL;
}

/* ---- the server ---- */

static struct hub_server *
server_new(int socket, void *context, const struct hub_server_options *options)
{
	struct hub_server *server = calloc(1, sizeof *server);

	if (server == NULL)
		return NULL;
	server->socket = socket;
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

	if (server != NULL)
		server->serve = serve;
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

int
hub_server_start(struct hub_server *server)
{
	if (server->acceptor != NULL || server->socket == -1) {
		errno = server->socket == -1 ? EBADF : EALREADY;
		return -1;
	}
	server->acceptor = hub_spawn(accept_all, server);
	if (server->acceptor == NULL)
		return -1;
	socket_begin(server);
	hub_set_name(server->acceptor, "acceptor");
	return 0;
}

void
hub_server_pause(struct hub_server *server)
{
	struct hub_coroutine *acceptor = server->acceptor;
	struct hub_timeout shield;

	if (acceptor == NULL)
		return;
	server->acceptor = NULL;
	hub_kill(acceptor);
	if (hub_current() != NULL) {
		hub_shield_start(&shield);
		if (hub_join(acceptor, NULL) != 0)
			hub_detach(acceptor);
		hub_shield_stop(&shield);
	} else {
		hub_detach(acceptor);
	}
	socket_end(server);
}

int
hub_server_accept_queued(struct hub_server *server)
{
	int error;

	CHECK_WHY(server->acceptor == NULL, "hub_server_accept_queued before hub_server_pause");
	if (hub_enter() == NULL)
		return -1;
	socket_begin(server);
	error = take_one(server, false);
	socket_end(server);
	if (error == 0 || error == EAGAIN)
		return error == 0;
	errno = error;
	return -1;
}

void
hub_server_retry(struct hub_server *server)
{
	hub_event_set(&server->permitted);
}

int
hub_server_serve(struct hub_server *server, int client)
{
	int error;

	if (hub_adopt(client) != 0) {
		error = errno;
		kernel_close(client);
	} else {
		error = welcome(server, client);
	}
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

void
hub_server_visit(struct hub_server *server,
	void (*visit)(const struct hub_connection *connection, void *context), void *context)
{
	LIST_EACH (link, &server->guests) {
		struct guest *guest = CONTAINER_OF(link, struct guest, siblings);
		struct fd_activity activity = fd_activity(hub_this, guest->client);
		struct hub_connection connection = {guest->client, HUB_ACTIVITY_OTHER,
			guest->coroutine->waits_since, activity.has_received, &guest->mark};

		if (fd_was_closed(&guest->opening))
			continue;
		if (guest->coroutine->state != COROUTINE_WAITING)
			connection.since = hub_this->now;
		else if (activity.is_sending)
			connection.activity = HUB_ACTIVITY_SENDING;
		else if (activity.is_receiving)
			connection.activity = HUB_ACTIVITY_RECEIVING;
		visit(&connection, context);
	}
}

void
hub_server_close(struct hub_server *server)
{
	CHECK_WHY(server->acceptor == NULL, "hub_server_close before hub_server_pause");
	if (server->socket != -1)
		hub_close(server->socket);
	server->socket = -1;
}

size_t
hub_server_connections(const struct hub_server *server)
{
	return server->count;
}

/* Whether the caller serves one of the server's guests, for whose end it cannot wait. */
static bool
is_guest(const struct hub_server *server)
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
	if (is_guest(server)) {
		errno = EDEADLK;
		return -1;
	}
	while (server->count > 0) {
		hub_event_clear(&server->closed);
		if (hub_event_wait(&server->closed) != 0)
			return -1;
	}
	return 0;
}

/* Accepts what is queued and waits for all to leave. A datagram socket may be sent replies to, so
 * it is closed last.
 * Returns 0 or an errno. */
static int
finish(struct hub_server *server)
{
	int accepted;

	do
		accepted = hub_server_accept_queued(server);
	while (accepted == 1);
	if (accepted < 0 && hub_enter() == NULL)
		return errno;
	if (server->handle == NULL)
		hub_server_close(server);
	return hub_server_wait(server) == 0 ? 0 : errno;
}

/* Kills those who are left and waits until they have ended. */
static void
expel(struct hub_server *server)
{
	struct hub_timeout shield;
	int deadlocks = 0;

	LIST_EACH (link, &server->guests)
		hub_kill(CONTAINER_OF(link, struct guest, siblings)->coroutine);
	hub_shield_start(&shield);
	while (hub_server_wait(server) != 0) {
		deadlocks++;
		CHECK_WHY(deadlocks < DEADLOCKS_MAX,
			"deadlock: a server's connections do not end though they are killed");
	}
	hub_shield_stop(&shield);
}

int
hub_server_stop(struct hub_server *server, int64_t nanoseconds)
{
	struct hub_timeout scope;
	struct fd_opening opening;
	int error;

	if (hub_current() == NULL || is_guest(server)) {
		errno = hub_current() == NULL ? EPERM : EDEADLK;
		return -1;
	}
	hub_server_pause(server);
	opening = fd_opening(server->socket);
	hub_timeout_start(&scope, nanoseconds);
	error = finish(server);
	hub_timeout_stop(&scope);
	if (server->count > 0)
		expel(server);
	if (fd_was_closed(&opening))
		server->socket = -1;
	hub_server_close(server);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
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
