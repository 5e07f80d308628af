/* The record of a server, and of those whom it serves, for the parts of a server: how it accepts
 * them (accepting), and its end (stopping). */
#ifndef HUBBUB_IO_SERVER_PRIV_H
#define HUBBUB_IO_SERVER_PRIV_H

#include "hub/base/list.h"
#include "hub/io/opening.h"
#include "hub/io/server.h"
#include "hub/link.h"
#include "hub/sync/event.h"

struct hub_server {
	int socket;                 /* -1 once it is closed */
	struct fd_opening listener; /* what the socket is, while the server uses it */
	hub_serve_fn *serve;
	hub_datagram_fn *handle; /* NULL for a stream server */
	void *context;
	struct hub_server_options options;
	struct hub_pool own_pool;
	struct hub_coroutine *acceptor; /* NULL while it is paused */
	struct list sessions;
	size_t count;
	/* Set whenever a session leaves, and by hub_server_retry: what was lacking may be there. */
	struct hub_event freed;
	int64_t pause;     /* before the next try; 0 after a success */
	unsigned in_a_row; /* accepted without having waited */
	unsigned aborts;   /* errors of single connections since a success */
	int reserve;       /* a file for letting the queued go when there is no other; or -1 */
};

/* A connection or a datagram that is being served. It goes when its coroutine has ended, even if
 * that was killed before it ever ran. */
struct session {
	struct hub_link link;
	struct list siblings;
	struct hub_server *server;
	struct hub_coroutine *coroutine;
	int client; /* -1 for a datagram */
	struct fd_opening opening;
	struct hub_mark mark;
	int64_t worked_at, asked_since, sent_since; /* as visits have found */
	struct hub_datagram datagram;
	unsigned char data[];
};

/* Starts serving; owns the session from now on, and on failure frees it and closes its connection.
 * Returns 0, or an errno. */
int session_start(struct hub_server *server, struct session *session);

/* Serves a connection that the hub knows; owns it. Returns 0 or an errno. */
int server_take_client(struct hub_server *server, int client);

/* Whether the caller serves one of the server's sessions, for whose end it cannot wait. */
bool server_is_serving_caller(const struct hub_server *server);

/* Kills those who are left and waits until they have ended. */
void server_kill_sessions(struct hub_server *server);

#endif
