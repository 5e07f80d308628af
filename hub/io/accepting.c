/* The acceptor of a server: one coroutine that accepts in a loop while may_accept permits it and
 * the pool has room. Each failure is judged: an error of one connection is skipped, a shortage is
 * tried again after a pause, and an error of the listener ends the loop.
 *
 * server->listener records what the listener's fd refers to while the acceptor runs: if another
 * part of the program closes it, the acceptor ends and never touches the fd again. */
#include "hub/io/accepting_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"
#include "hub/io/server_priv.h"
#include "hub/io/socket.h"
#include "hub/io/wait_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/timeout.h"

#define PAUSE_FIRST (10 * HUB_MILLISECOND)
#define PAUSE_MOST HUB_SECOND
#define ACCEPTS_IN_A_ROW 64 /* then other coroutines run */
/* After this many errors of single connections in a row they count as a shortage. */
#define ABORTS_IN_A_ROW 16

/* ---- the socket ---- */

/* From here on the server notices if another part of the program closes the socket. */
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

/* ---- one connection, or one datagram ---- */

/* What follows a failure. accept(2) reports errors of the connection that it would have returned,
 * and a datagram socket those of earlier replies: they concern that peer alone. Any other error may
 * last, and accepting is tried again after a pause. */
enum verdict { VERDICT_NEXT, VERDICT_WAIT, VERDICT_END };

/* Whether the socket cannot accept at all: the kernel reports EOPNOTSUPP for single connections,
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

/* Decides what follows an error of an accept. */
static enum verdict
judge(struct hub_server *server, int error)
{
	/* If the acceptor was killed or timed out, errno is its own, though a peer's may have the
	 * same value. */
	if (hub_enter() == NULL)
		return VERDICT_END;
	switch (error) {
	case ECANCELED:
	case EDEADLK:
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
		return VERDICT_END;
	case EOPNOTSUPP:
		if (is_no_listener(server))
			return VERDICT_END;
		break;
	case ECONNABORTED:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
	case ENONET:
	case ENOPROTOOPT:
	case EPROTO:
	case ETIMEDOUT:
		break;
	default:
		return VERDICT_WAIT;
	}
	return ++server->aborts < ABORTS_IN_A_ROW ? VERDICT_NEXT : VERDICT_WAIT;
}

int
accepting_back_off(struct hub_server *server)
{
	struct hub_timeout scope;
	int error = 0;

	server->pause = server->pause == 0 ? PAUSE_FIRST : server->pause * 2;
	if (server->pause > PAUSE_MOST)
		server->pause = PAUSE_MOST;
	hub_event_clear(&server->freed);
	hub_timeout_start(&scope, server->pause);
	if (hub_event_wait(&server->freed) != 0)
		error = errno;
	return hub_timeout_stop(&scope) && error == ETIMEDOUT ? 0 : error;
}

/* Other coroutines may run now, and change the socket's flags. */
static void
end_row(struct hub_server *server)
{
	server->in_a_row = 0;
	server->is_in_row = false;
}

/* Waits until it is time to ask may_accept again. Returns 0 or an errno. */
static int
wait_permitted(struct hub_server *server)
{
	end_row(server);
	hub_event_clear(&server->freed);
	return hub_event_wait(&server->freed) == 0 ? 0 : errno;
}

/* Whether a connection is queued; false for a socket that does not listen. */
static bool
is_queued(const struct hub_server *server)
{
	struct pollfd query = {.fd = server->socket, .events = POLLIN};

	while (kernel_poll_now(&query, 1) < 0)
		if (errno != EINTR)
			return false;
	return query.revents == POLLIN;
}

static int
wait_queued(struct hub_server *server)
{
	struct hub_fd *entry = hub_enter() != NULL ? fd_lookup(hub_this, server->socket) : NULL;

	end_row(server);
	if (entry != NULL && fd_wait_read(entry, "accept") == 0)
		return 0;
	return fd_was_closed(&server->listener) ? EBADF : errno;
}

static void
call_not_accepted(const struct hub_server *server)
{
	if (server->options.not_accepted != NULL)
		server->options.not_accepted(server->context);
}

/* Accepts a queued connection, for which may_accept has been asked; *address is set if admits needs
 * it. Returns the connection, or -1 with errno. */
static int
accept_now(struct hub_server *server, struct sockaddr_storage *address)
{
	bool is_asked = server->options.admits != NULL;
	socklen_t length = sizeof *address;
	int client = -1, error;

	if (server->is_in_row || fd_keep_from_blocking(server->socket) == 0)
		client = fd_accept_next(server->socket,
			is_asked ? (struct sockaddr *)address : NULL, is_asked ? &length : NULL);
	error = errno;
	server->is_in_row = client != -1;
	if (client == -1)
		call_not_accepted(server);
	errno = error;
	return client;
}

/* The errno of a failed accept that must not wait. At the limit of open files the kernel reports
 * that limit even when no connection is queued: then it is EAGAIN. */
static int
failed_now(const struct hub_server *server, int error)
{
	return (error == EMFILE || error == ENFILE) && !is_queued(server) ? EAGAIN : error;
}

/* Takes one connection from the socket into a new session. Returns 0 or an errno. If it must not
 * wait: EAGAIN if no connection is queued, EBUSY if one is and must not be accepted now. */
static int
take_connection(struct hub_server *server, bool may_wait)
{
	const struct hub_server_options *options = &server->options;
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	struct hub_timeout shield;
	struct hub_fd *entry;
	int client, error = ENOMEM;

	if (options->may_accept != NULL && !options->may_accept(server->context)) {
		if (may_wait)
			return wait_permitted(server);
		return is_queued(server) ? EBUSY : EAGAIN;
	}
	client = accept_now(server, &address);
	if (client == -1 && errno == EAGAIN && may_wait)
		return wait_queued(server);
	if (client == -1)
		return may_wait ? errno : failed_now(server, errno);
	if (options->admits != NULL && !options->admits(server->context, &address)) {
		kernel_close(client);
		call_not_accepted(server);
		return 0;
	}
	record(hub_this, FLIGHT_ACCEPT, (uint32_t)client, 0);
	if (options->take_over != NULL && options->take_over(server->context, client))
		return 0;
	entry = fd_enter_new(hub_this, client, true);
	if (entry == NULL) {
		kernel_close(client);
	} else {
		/* A client seldom sends before it is accepted: wait for its bytes instead of trying
		 * first. */
		entry->drained_for = FD_ANYBODY;
		/* Shielded: an accepted connection is served even if the acceptor was killed
		 * meanwhile. */
		hub_shield_start(&shield);
		error = server_take_client(server, client);
		DCHECK(error != ECANCELED && error != ETIMEDOUT);
		hub_shield_stop(&shield);
	}
	if (error != 0)
		call_not_accepted(server);
	return error;
}

/* Receives one datagram into a new session, whose memory then shrinks to it. Returns as
 * take_connection. */
static int
take_datagram(struct hub_server *server, bool may_wait)
{
	size_t size = server->options.datagram_size;
	struct session *session = malloc(sizeof *session + size);
	struct hub_timeout shield;
	struct session *smaller;
	ssize_t length;
	int error;

	if (session == NULL)
		return ENOMEM;
	session->client = -1;
	session->datagram.address_length = sizeof session->datagram.address;
	length = hub_recvfrom(server->socket, session->data, size, may_wait ? 0 : MSG_DONTWAIT,
		(struct sockaddr *)&session->datagram.address, &session->datagram.address_length);
	if (length < 0) {
		error = errno;
		free(session);
		return error;
	}
	DCHECK((size_t)length <= size);
	/* A handler that waits would otherwise hold the memory of the longest datagram. */
	smaller = realloc(session, sizeof *session + (size_t)length);
	if (smaller != NULL)
		session = smaller;
	session->datagram.socket = server->socket;
	session->datagram.data = session->data;
	session->datagram.length = (size_t)length;
	/* Likewise a datagram that was received. */
	hub_shield_start(&shield);
	error = session_start(server, session);
	DCHECK(error != ECANCELED && error != ETIMEDOUT);
	hub_shield_stop(&shield);
	return error;
}

/* Handles a failure. Returns 0 to go on, or an errno: EBUSY for one that may be tried again
 * later. */
static int
take_failed(struct hub_server *server, int error, bool may_wait)
{
	enum verdict verdict = judge(server, error);

	if (server->options.accept_failed != NULL && error != ECANCELED)
		server->options.accept_failed(server->context, error, verdict == VERDICT_WAIT);
	if (verdict == VERDICT_WAIT)
		return may_wait ? accepting_back_off(server) : EBUSY;
	return verdict == VERDICT_END ? error : 0;
}

/* Takes one connection or datagram. Returns 0 (go on, also after an error of one peer), or an
 * errno. If it must not wait: EAGAIN if none is queued, EBUSY if one is that cannot be accepted
 * now. */
static int
take_one(struct hub_server *server, bool may_wait)
{
	int error = 0;

	if (++server->in_a_row >= ACCEPTS_IN_A_ROW || (may_wait && hub_tick(hub_this))) {
		end_row(server);
		hub_pause(hub_this);
		if (hub_enter() == NULL)
			return errno;
	}
	if (hub_pool_free_count(server->options.pool) == 0)
		end_row(server);
	/* While the pool is full, clients wait in the kernel's queue. */
	if (hub_pool_wait(server->options.pool) != 0)
		return errno;
	if (fd_was_closed(&server->listener))
		error = EBADF;
	else
		error = server->handle != NULL ? take_datagram(server, may_wait)
					       : take_connection(server, may_wait);
	if (error == 0) {
		server->pause = 0;
		server->aborts = 0;
	}
	if (error == 0 || (!may_wait && (error == EAGAIN || error == EBUSY)))
		return error;
	return take_failed(server, error, may_wait);
}

/* ---- the acceptor ---- */

static void *
accept_all(void *argument)
{
	while (take_one(argument, true) == 0)
		continue;
	return NULL;
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
	server->is_in_row = false;
	error = take_one(server, false);
	socket_end(server);
	if (error == 0 || error == EAGAIN)
		return error == 0;
	errno = error == EBUSY ? EAGAIN : error;
	return -1;
}
