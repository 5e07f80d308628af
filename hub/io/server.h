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
	/* Told of each accept that has failed; will_wait: for a reason that may last, such as the
	 * limit of open files, and it is tried again when a connection closes, or after 10 ms,
	 * doubling up to 1 s. Must not block. */
	void (*accept_failed)(void *context, int error, bool will_wait);
	/* Asked of each accepted connection, before take_over, with its peer's address as accept(2)
	 * tells it: after a reset getpeername(2) does not know it any more. False: it is closed,
	 * unserved, and told to not_accepted. NULL: none is asked for. Must not block. */
	bool (*admits)(void *context, const struct sockaddr_storage *address);
	void *room[8]; /* for later versions: NULL */
};

/* Makes a server for a listening stream socket, which it owns from now on; with one descriptor
 * more, which keeps a place for hub_server_dismiss.
 * Switches: no.  Ownership: the caller frees it; options are copied.  Returns NULL with errno
 * ENOMEM, or EINVAL (the options' room is not NULL). */
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
 * Switches: yes, if the pool is full, or for others to have a turn.
 * Returns 1; 0 if none is queued; or -1 with errno EAGAIN if one is that cannot be accepted now,
 * because may_accept says no, or by an error of which accept_failed is told that it will wait;
 * ECANCELED, ETIMEDOUT, EDEADLK, EPERM; or EBADF and the like if the socket is of no use any
 * more. */
int hub_server_accept_queued(struct hub_server *server);

/* Lets all go who are queued, since nobody will serve them: accepts each, whatever may_accept
 * says, ends what it reads, reads what it sends until it has ended that, or for nanoseconds in
 * all, and closes. The kernel resets those whom hub_server_close finds in the queue. Only while it
 * is paused; opened and closed are not told.
 * Switches: yes.  Errors: none; works for killed callers, too, without waiting.
 * Returns how many it let go; 0 for a datagram server. */
size_t hub_server_dismiss(struct hub_server *server, int64_t nanoseconds);

/* Asks may_accept again, after it said no. Switches: no. */
void hub_server_retry(struct hub_server *server);

/* Serves a connection that came by another way; non-blocking from now on.
 * Switches: yes, if the pool is full.  Ownership: client is the server's, and closed also on
 * failure.
 * Returns 0, or -1 with errno ENOMEM, EBADF, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_server_serve(struct hub_server *server, int client);

/* What somebody does with a connection: any coroutine, waiting by any call of the hub. */
enum hub_activity {
	HUB_ACTIVITY_OTHER,     /* nobody waits for its peer: somebody computes, or waits for
				 * something else */
	HUB_ACTIVITY_RECEIVING, /* waiting to receive, perhaps among other things; or an epoll set
				 * has it that is not the hub's, whatever is done */
	HUB_ACTIVITY_SENDING,   /* waiting for the peer to take more; perhaps to receive, too */
	HUB_ACTIVITY_MAX
};

/* What a visitor wants to remember of a connection; zero at first. */
struct hub_mark {
	uint64_t value;
	int64_t since;
};

/* One connection, for hub_server_visit. Times are of the clock (hub_now); those of what a visit has
 * to find are late by the time between two visits. With TLS, bytes are those on the wire. */
struct hub_connection {
	int client;
	enum hub_activity activity;
	/* When bytes last came or went, or the activity was found to be another one than waiting
	 * for the peer. */
	int64_t since;
	bool has_received; /* anything, ever; of a handshake, nothing */
	struct hub_mark *mark;
	bool is_receiving;   /* whatever the activity is */
	bool is_asked;       /* something has come since something was last sent: part of a
			      * request, or one that is being answered */
	bool input_is_ended; /* hub_end_input */
	bool is_busy;        /* the service says so */
	bool is_settled;     /* the service says that all that has come is dealt with, though
			      * nothing may have been sent */
	int64_t asked_since; /* when is_asked was found, or last that somebody worked at it;
			      * 0 without it */
	int64_t sent_since;  /* when it was found that something had been sent */
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

/* The whole end: pauses, accepts what is queued, as may_accept and limits allow, closes, waits for
 * connections to end, at most for that many nanoseconds, kills and awaits those that then are
 * left, and lets those go who still are queued (hub_server_dismiss), for a second at most.
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
