/* The end of a server: queued clients are served while the time lasts, as sessions end and limits
 * allow; then the sessions that are left are killed, and the clients that are still queued
 * dismissed. The whole runs in the caller's coroutine. */
#include <errno.h>

#include "hub/base/failed.h"
#include "hub/io/accepting_priv.h"
#include "hub/io/server_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/timeout.h"

/* At most this many clients, more than a queue holds, are accepted after a stop has begun: new ones
 * may come as fast as others are served. */
#define LAST_MOST (SOMAXCONN + 1)
/* Nanoseconds for dismissing clients that are queued when the time of a stop is over. */
#define DISMISS_TIME HUB_SECOND

/* Accepts the queued clients, as soon as permits and limits allow. Returns 0 or an errno. */
static int
accept_last(struct hub_server *server, const struct fd_opening *opening)
{
	for (int left = LAST_MOST; left > 0 && !fd_was_closed(opening);) {
		int error, accepted = hub_server_accept_queued(server);

		if (accepted == 0)
			return 0;
		left -= accepted > 0;
		/* If the socket cannot accept at all, the sessions are still waited for. */
		if (accepted < 0 && errno != EAGAIN)
			return hub_enter() == NULL ? errno : 0;
		if (accepted < 0 && (error = accepting_back_off(server)) != 0)
			return error;
	}
	return 0;
}

/* Accepts the queued clients and waits for all sessions to end. The socket of a datagram server
 * stays open until then, since handlers send replies through it. Returns 0 or an errno. */
static int
finish(struct hub_server *server, const struct fd_opening *opening)
{
	int error = accept_last(server, opening);

	if (error != 0)
		return error;
	if (fd_was_closed(opening)) {
		server->socket = -1;
	} else if (server->handle == NULL) {
		hub_server_dismiss(server, 0);
		hub_server_close(server);
	}
	return hub_server_wait(server) == 0 ? 0 : errno;
}

int
hub_server_stop(struct hub_server *server, int64_t nanoseconds)
{
	struct hub_timeout scope;
	struct fd_opening opening;
	int error;

	if (hub_current() == NULL || server_is_serving_caller(server)) {
		errno = hub_current() == NULL ? EPERM : EDEADLK;
		return -1;
	}
	hub_server_pause(server);
	opening = fd_opening(server->socket);
	hub_timeout_start(&scope, nanoseconds);
	error = finish(server, &opening);
	hub_timeout_stop(&scope);
	if (server->count > 0)
		server_kill_sessions(server);
	if (fd_was_closed(&opening))
		server->socket = -1;
	/* Clients that are still queued are closed gracefully, not reset. */
	hub_server_dismiss(server, DISMISS_TIME);
	hub_server_close(server);
	return failed(error);
}
