/* The end of a server: who is queued is served as others leave, or let go. */
#include <errno.h>

#include "hub/base/failed.h"
#include "hub/io/accepting_priv.h"
#include "hub/io/server_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/timeout.h"

/* After a stop has begun, at most so many are accepted, longer than a queue is: others may come
 * as fast as they are served. */
#define LAST_MOST (SOMAXCONN + 1)
/* For those who are queued when the time of a stop is over, to be let go. */
#define DISMISS_TIME HUB_SECOND

/* Accepts what is queued, as soon as that is permitted and possible. Returns 0 or an errno. */
static int
accept_last(struct hub_server *server, const struct fd_opening *opening)
{
	for (int left = LAST_MOST; left > 0 && !fd_was_closed(opening);) {
		int error, accepted = hub_server_accept_queued(server);

		if (accepted == 0)
			return 0;
		left -= accepted > 0;
		/* What cannot be accepted at all is no reason not to wait for the others. */
		if (accepted < 0 && errno != EAGAIN)
			return hub_enter() == NULL ? errno : 0;
		if (accepted < 0 && (error = accepting_back_off(server)) != 0)
			return error;
	}
	return 0;
}

/* Accepts what is queued and waits for all to leave. A datagram socket may be sent replies to, so
 * it is closed last.
 * Returns 0 or an errno. */
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
	/* Whoever is still queued is not reset for having waited. */
	hub_server_dismiss(server, DISMISS_TIME);
	hub_server_close(server);
	return failed(error);
}
