/* Servers inside one hub: a coroutine that accepts, and one for each connection or datagram.
 *
 *	static void serve(int client, void *context)
 *	{
 *		... hub_recv(client, ...) ... hub_send(client, ...) ...
 *	}
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

/* Serves one connection. After the return client is closed, unless it was closed before. It may
 * switch. */
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
	/* The coroutines of connections are spawned in this pool; while it is full no connection is
	 * accepted, and clients wait in the kernel's queue. Servers may share a pool, which is
	 * borrowed. Default: a pool of the server's own, without a bound. */
	struct hub_pool *pool;
	size_t datagram_size; /* bytes; longer datagrams are cut; default 65536 */
	/* Called for each accepted connection, and for its end, after it is closed. All functions
	 * here get the server's context, may be NULL, and must not block. */
	void (*opened)(void *context);
	void (*closed)(void *context);
	/* Asked before each accept; if it returns false, no connection is accepted until
	 * hub_server_retry. not_accepted is called for each permission that led to no
	 * connection. */
	bool (*may_accept)(void *context);
	void (*not_accepted)(void *context);
	/* Called for each accepted connection, non-blocking and unknown to the hub, before it is
	 * served; if it returns true it owns client, and the server forgets it. */
	bool (*take_over)(void *context, int client);
	/* Called for each accept that has failed. will_wait: the cause may last, such as the limit
	 * of open files, and accepting is tried again when a connection closes, or after 10 ms,
	 * doubling up to 1 s. */
	void (*accept_failed)(void *context, int error, bool will_wait);
	/* Called for each accepted connection, before take_over, with its peer's address from
	 * accept(2): after a reset getpeername(2) does not know it. If it returns false the
	 * connection is closed, unserved, and not_accepted called. NULL: no address is asked
	 * for. */
	bool (*admits)(void *context, const struct sockaddr_storage *address);
	void *room[8]; /* for later versions: NULL */
};

/* Makes a server for a listening stream socket, which it owns from now on. It opens one more fd, as
 * a reserve for hub_server_dismiss.
 * Switches: no.  Ownership: the caller frees the server; options are copied.  Returns NULL with
 * errno ENOMEM, or EINVAL (the options' room is not NULL). */
struct hub_server *hub_stream_server_new(
	int listener, hub_serve_fn *serve, void *context, const struct hub_server_options *options);

/* Makes a server for a bound datagram socket, which it owns from now on. opened, closed and
 * accept_failed are called for datagrams. Switches: no.  Ownership and errors: as
 * hub_stream_server_new. */
struct hub_server *hub_datagram_server_new(int socket, hub_datagram_fn *handle, void *context,
	const struct hub_server_options *options);

/* Starts accepting, also after hub_server_pause. Switches: no.
 * Returns 0, or -1 with errno ENOMEM, EPERM, ECANCELED, EALREADY (it accepts already) or EBADF (it
 * is stopped). */
int hub_server_start(struct hub_server *server);

/* Stops accepting; clients wait in the kernel's queue until hub_server_start. Connections go on.
 * Switches: until the accepting coroutine has ended.  Errors: none; works for killed callers,
 * too. */
void hub_server_pause(struct hub_server *server);

/* Accepts one connection that is queued, without waiting for one. Only while the server is paused.
 * Switches: yes, if the pool is full, or if the loop is due.
 * Returns 1; 0 if none is queued; or -1 with errno EAGAIN if one is queued that cannot be accepted
 * now, because may_accept returns false, or because of an error that accept_failed got with
 * will_wait; ECANCELED, ETIMEDOUT, EDEADLK, EPERM; or EBADF and the like if the socket is
 * unusable. */
int hub_server_accept_queued(struct hub_server *server);

/* Dismisses the queued clients, which will not be served: accepts each, whatever may_accept says,
 * shuts down the output to it, reads until it has ended its own, or for nanoseconds in all, and
 * closes. The kernel resets clients that are still queued at hub_server_close. Only while the
 * server is paused; opened and closed are not called.
 * Switches: yes.  Errors: none; works for killed callers, too, without waiting.
 * Returns the number of clients dismissed; 0 for a datagram server. */
size_t hub_server_dismiss(struct hub_server *server, int64_t nanoseconds);

/* Makes the server ask may_accept again, after it returned false. Switches: no. */
void hub_server_retry(struct hub_server *server);

/* Serves a connection that the server did not accept itself; it becomes non-blocking.
 * Switches: yes, if the pool is full.  Ownership: client is the server's, and closed on failure,
 * too.
 * Returns 0, or -1 with errno ENOMEM, EBADF, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_server_serve(struct hub_server *server, int client);

/* What coroutines do with a connection, in whichever call of the hub they wait. */
enum hub_activity {
	/* No coroutine waits for the peer: one computes, or waits for something else. */
	HUB_ACTIVITY_OTHER,
	/* A coroutine waits to receive, perhaps in a select; or an epoll set of the application's
	 * has the fd, whatever the coroutines do. */
	HUB_ACTIVITY_RECEIVING,
	/* A coroutine waits for room to send; another may wait to receive. */
	HUB_ACTIVITY_SENDING,
	HUB_ACTIVITY_MAX
};

/* Memory of a visitor for each connection; zero at first. */
struct hub_mark {
	uint64_t value;
	int64_t since;
	uint64_t note;
};

/* One connection, for hub_server_visit. Times are hub_now's; those that only a visit can find are
 * late by up to the time between two visits. With TLS, bytes are those on the wire. */
struct hub_connection {
	int client;
	enum hub_activity activity;
	/* When bytes last came or went, or when a visit last found that no coroutine waited for the
	 * peer. */
	int64_t since;
	bool has_received; /* any byte, ever; bytes of a handshake do not count */
	struct hub_mark *mark;
	bool is_receiving; /* also while the activity is SENDING */
	/* Bytes have come since bytes were last sent, or a stream waits for the rest of what it
	 * holds: a part of a request, or one being answered. */
	bool is_asked;
	bool input_is_ended; /* hub_end_input */
	bool is_busy;        /* the service says that it works for the peer */
	/* The service says that it has dealt with all bytes that came, even if it has sent none. */
	bool is_settled;
	/* When is_asked was found, or when a coroutine last worked for it; 0 without it. */
	int64_t asked_since;
	int64_t sent_since; /* when a visit found that bytes had been sent */
};

/* Calls visit for each connection that is being served. visit must not switch.
 * Switches: no. */
void hub_server_visit(struct hub_server *server,
	void (*visit)(const struct hub_connection *connection, void *context), void *context);

/* Closes the listening socket; connections go on. Only while the server is paused. Switches: no. */
void hub_server_close(struct hub_server *server);

/* The number of connections, or datagrams, being served. Switches: no. */
size_t hub_server_connections(const struct hub_server *server);

/* Waits until no connection is being served. Switches: yes, unless that is so.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_server_wait(struct hub_server *server);

/* Ends a server: pauses it, accepts queued connections as may_accept and limits allow, closes the
 * socket, waits at most that many nanoseconds for connections to end, kills and awaits those that
 * are left, and dismisses the clients that are still queued (hub_server_dismiss), for a second at
 * most.
 * Switches: yes.
 * Returns 0, or -1 with errno ETIMEDOUT (some were killed), or ECANCELED or EDEADLK (all were);
 * EDEADLK also, with no effect, if the caller is one of the server's own handlers, and EPERM if it
 * is no coroutine. */
int hub_server_stop(struct hub_server *server, int64_t nanoseconds);

/* Frees a server that is paused and serves no connection; closes its socket if that is open. NULL
 * is ignored.
 * Switches: no. */
void hub_server_free(struct hub_server *server);

HUBBUB_API_END

#endif
