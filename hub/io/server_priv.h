/* The records of a server and of its sessions, shared by server.c (sessions), accepting.c (the
 * acceptor) and stopping.c (the end). */
#ifndef HUBBUB_IO_SERVER_PRIV_H
#define HUBBUB_IO_SERVER_PRIV_H

#include "hub/base/list.h"
#include "hub/io/opening.h"
#include "hub/io/server.h"
#include "hub/link.h"
#include "hub/sync/event.h"

struct hub_server {
	int socket;                 /* owned; -1 once it is closed */
	struct fd_opening listener; /* the socket's opening, while the acceptor runs */
	hub_serve_fn *serve;
	hub_datagram_fn *handle; /* NULL for a stream server */
	void *context;
	struct hub_server_options options;
	struct hub_pool own_pool;
	struct hub_coroutine *acceptor; /* NULL while it is paused */
	struct list sessions;
	size_t count;
	/* Set whenever a session ends, and by hub_server_retry: a shortage may be over. */
	struct hub_event freed;
	int64_t pause;     /* nanoseconds before the next try; 0 after a success */
	unsigned in_a_row; /* connections accepted since the acceptor last waited */
	bool is_in_row;    /* since the socket was seen non-blocking, no other coroutine has run */
	unsigned aborts;   /* errors of single connections since the last success */
	int reserve;       /* a spare fd for dismissing clients at the limit of files; or -1 */
};

/* A connection or a datagram that is being served. Freed when its coroutine has ended, even if that
 * was killed before it ever ran. */
struct session {
	struct hub_link link;
	struct list siblings;
	struct hub_server *server;
	struct hub_coroutine *coroutine;
	int client; /* -1 for a datagram */
	struct fd_opening opening;
	struct hub_mark mark;
	/* What visits have found, on the hub's clock; 0: not yet. */
	int64_t worked_at, asked_since, sent_since;
	struct hub_datagram datagram;
	unsigned char data[];
};

/* Starts serving a session, and owns it: on failure the session is freed, and its connection
 * closed. Returns 0, or an errno. */
int session_start(struct hub_server *server, struct session *session);

/* Serves a connection that has entered the hub, and owns it. Returns 0 or an errno. */
int server_take_client(struct hub_server *server, int client);

/* Whether the caller is the coroutine of one of the server's sessions, whose end it cannot wait
 * for. */
bool server_is_serving_caller(const struct hub_server *server);

/* Kills the sessions that are left and waits until they have ended. */
void server_kill_sessions(struct hub_server *server);

#endif
