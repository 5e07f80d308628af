/* libmicrohttpd runs with its own epoll descriptor, which an ear watches, and is run whenever that
 * is readable or its timeout is over. Accepting and the limit on clients are done here (listener.h,
 * places.h): libmicrohttpd would accept without limit in one turn, and refuse new clients while
 * slow ones hold all connections. */
#include "master/face/http.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/base/ear.h"
#include "master/base/timer.h"
#include "master/face/listener.h"
#include "master/face/places.h"

/* Twice the places: a client that has lost its place stays libmicrohttpd's connection until that
 * runs again. */
#define CONNECTIONS_MAX (2 * HTTP_PLACES)

/* An HTTP server on one listening socket. */
struct http {
	struct ev_loop *loop;
	struct MHD_Daemon *daemon;
	struct listener listener;
	struct places places;
	struct ear events; /* watches libmicrohttpd's epoll descriptor */
	ev_timer timeout;  /* until libmicrohttpd wants to run */
};

/* A connection, from libmicrohttpd's notice of its start to that of its end. libmicrohttpd owns the
 * socket. */
struct visitor {
	struct place place;
	int fd;
};

/* ---- in the loop ---- */

/* Lets libmicrohttpd work, and sets the timer that it asks for. */
static void
run(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG milliseconds;

	MHD_run(http->daemon);
	ev_timer_stop(http->loop, &http->timeout);
	if (MHD_get_timeout(http->daemon, &milliseconds) != MHD_YES)
		return;
	timer_after(http->loop, &http->timeout, (double)milliseconds / 1000.);
}

static void
on_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)events;
	run(watcher->data);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	run(timer->data);
}

/* ---- clients ---- */

/* Gives an accepted client to libmicrohttpd. */
static void
take(int client, const struct sockaddr *from, void *context)
{
	struct http *http = context;
	socklen_t length = from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						       : sizeof(struct sockaddr_in);

	/* On failure it closes the client. */
	MHD_add_connection(http->daemon, client, from, length);
	run(http);
}

/* Disconnects a client that has lost its place: the shutdown is an event for libmicrohttpd, which
 * then closes the socket. */
static void
dismiss(struct place *place)
{
	shutdown(CONTAINER_OF(place, struct visitor, place)->fd, SHUT_RDWR);
}

/* A connection has started: gives it a place. Without memory for one it is closed, since no time
 * would limit it. */
static void
greet(struct http *http, struct MHD_Connection *connection, void **state)
{
	int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	struct visitor *visitor = calloc(1, sizeof *visitor);

	*state = visitor;
	if (visitor == NULL) {
		shutdown(fd, SHUT_RDWR);
		return;
	}
	visitor->fd = fd;
	places_take(&http->places, &visitor->place,
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr);
}

static void
on_connection(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	struct visitor *visitor = *state;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		greet(http, connection, state);
	} else if (visitor != NULL) {
		places_leave(&http->places, &visitor->place);
		free(visitor);
		*state = NULL;
	}
}

/* ---- opening and closing ---- */

struct http *
http_new(struct ev_loop *loop, int fd, MHD_AccessHandlerCallback answer,
	MHD_RequestCompletedCallback completed, void *context)
{
	const union MHD_DaemonInfo *info = NULL;
	struct http *http = calloc(1, sizeof *http);

	if (http != NULL)
		http->daemon = MHD_start_daemon(
			MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
			NULL, NULL, answer, context, MHD_OPTION_CONNECTION_LIMIT,
			(unsigned)CONNECTIONS_MAX, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
			http, MHD_OPTION_NOTIFY_COMPLETED, completed, context, MHD_OPTION_END);
	if (http != NULL && http->daemon != NULL)
		info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		free(http);
		close(fd);
		return NULL;
	}
	http->loop = loop;
	places_init(&http->places, loop, HTTP_PLACES, HTTP_PATIENCE, dismiss);
	listener_init(&http->listener, loop, fd, &http->places, take, http);
	ear_init(&http->events, on_event, info->epoll_fd, EV_READ);
	ev_init(&http->timeout, on_timeout);
	http->events.watcher.data = http->timeout.data = http;
	return http;
}

void
http_open(struct http *http)
{
	listener_start(&http->listener);
	ear_start(http->loop, &http->events);
	run(http);
}

void
http_pause(struct http *http)
{
	listener_stop(&http->listener);
	ear_stop(http->loop, &http->events);
	ev_timer_stop(http->loop, &http->timeout);
}

void
http_finish(struct http *http)
{
	listener_stop(&http->listener);
	ear_start(http->loop, &http->events);
	run(http);
}

/* libmicrohttpd, without a thread of its own, only notes it. A server that is paused looks when it
 * goes on. */
void
http_resume(struct http *http, struct MHD_Connection *connection)
{
	MHD_resume_connection(connection);
	if (ear_is_active(&http->events))
		timer_after(http->loop, &http->timeout, 0.);
}

void
http_free(struct http *http)
{
	int fd = http->listener.input.watcher.fd;

	http_pause(http);
	MHD_stop_daemon(http->daemon);
	places_fini(&http->places);
	close(fd);
	free(http);
}
