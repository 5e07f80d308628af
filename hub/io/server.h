/* Servers inside one hub: a coroutine that accepts, and one for each connection or datagram.
 *
 *	static void serve(int client, void *context) { ... hub_recv(client, ...) ... hub_send(client, ...) ... }
 *	...
 *	int listener = hub_create_server("127.0.0.1", "9090", 0);
 *	struct hub_server *server = hub_stream_server_new(listener, serve, NULL, NULL);
 *	hub_server_start(server);
 *	... until it is to end ...
 *	hub_server_stop(server, 30 * HUB_SECOND);
 *	hub_server_free(server);
 *
 * For all cores, with processes, see <hubbub/server.h>. */
#ifndef HUBBUB_IO_SERVER_H
#define HUBBUB_IO_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "../sync/pool.h"

HUBBUB_API_BEGIN

struct hub_server;

/* Serves one connection; the descriptor is closed when it returns, unless it has been closed by
 * then. It may switch. */
typedef void hub_serve_fn(int client, void *context);

/* One datagram; valid until the handler returns. The reply goes through the same socket, by
 * hub_sendto. */
struct hub_datagram {
	int socket;
	void *data;
	size_t length;
	struct sockaddr_storage address; /* the sender's */
	socklen_t address_length;
};

/* Handles one datagram. It may switch. */
typedef void hub_datagram_fn(const struct hub_datagram *datagram, void *context);

/* Zero means the default in each field. */
struct hub_server_options {
	/* In which connections run: while it is full nothing is accepted, and the kernel's queue
	 * holds who comes. It may be shared by servers, and is borrowed. Default: one of the
	 * server's own, without a bound. */
	struct hub_pool *pool;
	size_t datagram_size; /* longer ones are cut; default 65536 */
	/* Told of each accepted connection, and of its end after it is closed; context is the
	 * server's. They must not block. */
	void (*opened)(void *context);
	void (*closed)(void *context);
	/* Asked before each accept; false: nothing is accepted until hub_server_retry. What it
	 * allowed and did not come about is told to not_accepted. They must not block. */
	bool (*may_accept)(void *context);
	void (*not_accepted)(void *context);
	/* Given each accepted connection, non-blocking and unknown to the hub, before it is served;
	 * true: it owns it now, and nothing more happens to it here. Must not block. */
	bool (*take_over)(void *context, int client);
	/* Told of each accept that has failed; will_wait: because of a limit such as that of open
	 * files, and it is tried again when a connection closes, or after 10 ms, doubling up to 1
	 * s. Must not block. */
	void (*accept_failed)(void *context, int error, bool will_wait);
};

/* Makes a server for a listening stream socket, which it owns from now on.
 * Switches: no.  Ownership: the caller frees it; options are copied.  Returns NULL with errno
 * ENOMEM. */
struct hub_server *hub_stream_server_new(
	int listener, hub_serve_fn *serve, void *context, const struct hub_server_options *options);

/* Makes a server for a bound datagram socket, which it owns from now on. opened, closed and
 * accept_failed tell of datagrams. Switches: no.  Ownership and errors: as
 * hub_stream_server_new. */
struct hub_server *hub_datagram_server_new(int socket, hub_datagram_fn *handle, void *context,
	const struct hub_server_options *options);

/* Starts accepting, also after hub_server_pause. Switches: no.
 * Returns 0, or -1 with errno ENOMEM, EPERM, ECANCELED, EALREADY (it accepts) or EBADF (it is
 * stopped). */
int hub_server_start(struct hub_server *server);

/* Stops accepting; the kernel queues who comes until hub_server_start. Connections go on.
 * Switches: until the accepting coroutine has ended.  Errors: none; works for killed callers
 * too. */
void hub_server_pause(struct hub_server *server);

/* Accepts one connection that is queued, without waiting for one. Only while it is paused.
 * Switches: yes, if the pool is full, or to wait as after other failures.
 * Returns 1; 0 if none is queued; or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK, EPERM, or EBADF
 * and the like if the socket is of no use any more. */
int hub_server_accept_queued(struct hub_server *server);

/* Asks may_accept again, after it said no. Switches: no. */
void hub_server_retry(struct hub_server *server);

/* Serves a connection that came by another way; non-blocking from now on.
 * Switches: yes, if the pool is full.  Ownership: client is the server's, and closed also on
 * failure.
 * Returns 0, or -1 with errno ENOMEM, EBADF, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_server_serve(struct hub_server *server, int client);

/* What a connection is doing. */
enum hub_activity {
	HUB_ACTIVITY_OTHER, /* computing, or waiting for something else */
	HUB_ACTIVITY_RECEIVING, /* waiting to receive, all that has arrived taken: between two messages */
	HUB_ACTIVITY_SENDING, /* waiting for the peer to take more */
	HUB_ACTIVITY_MAX
};

/* What a visitor wants to remember of a connection; zero at first. */
struct hub_mark {
	uint64_t value;
	int64_t since;
};

/* One connection, for hub_server_visit. */
struct hub_connection {
	int client;
	enum hub_activity activity;
	int64_t since;     /* clock (hub_now) at which it began that, about */
	bool has_received; /* anything, ever */
	struct hub_mark *mark;
};

/* Calls visit for each connection that is being served. visit must not switch.
 * Switches: no. */
void hub_server_visit(struct hub_server *server,
	void (*visit)(const struct hub_connection *connection, void *context), void *context);

/* Closes the listening socket; connections go on. Only while it is paused. Switches: no. */
void hub_server_close(struct hub_server *server);

/* How many connections, or datagrams, are being served. Switches: no. */
size_t hub_server_connections(const struct hub_server *server);

/* Waits until none is. Switches: yes, unless that is so.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_server_wait(struct hub_server *server);

/* The whole end: pauses, accepts what is queued, closes, waits for connections to end, at most for
 * that many nanoseconds, and kills and awaits those that then are left.
 * Switches: yes.
 * Returns 0, or -1 with errno ETIMEDOUT (some were killed), or ECANCELED or EDEADLK (all were);
 * EDEADLK also, with nothing done, if one of its own handlers calls this, and EPERM if no coroutine
 * does. */
int hub_server_stop(struct hub_server *server, int64_t nanoseconds);

/* Frees a server that serves nobody and is paused; closes its socket if that is open. NULL is
 * ignored.
 * Switches: no. */
void hub_server_free(struct hub_server *server);

HUBBUB_API_END

#endif
