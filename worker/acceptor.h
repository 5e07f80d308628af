/* An acceptor: one socket of one hub, and what the hub does with it. A listener's acceptor is the
 * hub's server with the worker's permits, counters and log; a datagram socket's acceptor is the
 * coroutine that answers. */
#ifndef HUBBUB_WORKER_ACCEPTOR_H
#define HUBBUB_WORKER_ACCEPTOR_H

#include <stdbool.h>

#include "hub/io/server.h"
#include "worker/listened.h"

struct datagrams;
struct worker_thread;

/* What becomes of a connection that an acceptor has accepted. */
struct acceptor_uses {
	/* Called first: offers the connection to another hub. Returns whether that hub has taken
	 * it. */
	bool (*take_over)(struct worker_thread *thread, int client, unsigned address);
	/* Serves the connection, in a coroutine of its own; context is the acceptor. */
	void (*serve)(int client, void *context);
};

struct acceptor {
	struct worker_thread *thread;
	unsigned address;                       /* index in the heritage's addresses */
	const struct hubbub_listener *listener; /* NULL if it has no name; borrowed */
	/* Where its listener is counted in the thread's row; uncounted if it is not. */
	struct listened *listened;
	struct listened uncounted;
	struct acceptor_uses uses;
	bool is_unix; /* a Unix socket: its peers are on this machine */
	/* A service manager holds the socket too: its next server serves what is left in the
	 * queue. */
	bool is_kept;
	bool is_closed;              /* set by acceptor_close */
	unsigned taken;              /* connections served by acceptor_take_queued */
	struct hub_server *server;   /* owned; NULL for a datagram socket */
	struct datagrams *datagrams; /* owned; NULL for a listener */
};

/* Prepares an acceptor. The acceptor owns the socket; its connections run in the thread's pool.
 * is_kept: a service manager holds the socket too. Returns 0, or -1 with errno ENOMEM. */
int acceptor_init(struct acceptor *acceptor, struct worker_thread *thread, unsigned address,
	int socket, bool is_kept, struct acceptor_uses uses);
void acceptor_fini(struct acceptor *acceptor);

/* Counts a connection that was accepted from the acceptor's socket. */
void acceptor_count_accepted(struct acceptor *acceptor);

/* Whether a connection from this address may be served: where PROXY headers are expected, the
 * address must be in a trusted network. Counts and logs a refusal. Switches: no. */
bool acceptor_admits(struct acceptor *acceptor, const struct sockaddr_storage *address);

/* Starts to accept, or to answer datagrams. Switches: no.  Returns 0, or -1 with errno ENOMEM, or
 * EALREADY if it has started. */
int acceptor_start(struct acceptor *acceptor);

/* Lets the thread's acceptors accept again, if any of them was without a permit. */
void acceptor_retry(struct worker_thread *thread);

/* The master grants fewer permits than the files allow, so that permits run out first and accept(2)
 * does not fail for lack of files. Called at each pulse, before acceptor_retry: while clients wait
 * because all permits that the files allow are in use, counts one failed accept a second. */
void acceptor_count_starved(struct worker_thread *thread);

/* Stops accepting. Datagrams that have arrived are answered first. Switches. */
void acceptor_pause(struct acceptor *acceptor);

/* The outcome of acceptor_take_queued. */
enum acceptor_queue {
	/* The queue is empty, or what is left in it is for another process to serve. */
	ACCEPTOR_EMPTY,
	ACCEPTOR_TAKEN, /* one client is being served */
	ACCEPTOR_FULL   /* a client is queued, but there is no permit or no file for it */
};

/* After acceptor_pause: serves one queued client. From a queue that a service manager keeps, takes
 * at most as many clients as the queue is long. While the thread empties its queues it may use its
 * siblings' permits, too. Switches. */
enum acceptor_queue acceptor_take_queued(struct acceptor *acceptor);

/* After acceptor_pause: accepts the queued clients and ends their connections without serving them,
 * for at most nanoseconds; does nothing to a queue that a service manager keeps. Returns how many
 * clients were let go. Switches. */
size_t acceptor_dismiss(struct acceptor *acceptor, int64_t nanoseconds);

/* After acceptor_pause: closes the socket. Open connections go on. */
void acceptor_close(struct acceptor *acceptor);

/* Calls visit for each connection of the thread, as hub_server_visit does. */
void acceptor_visit_all(struct worker_thread *thread,
	void (*visit)(const struct hub_connection *connection, void *context), void *context);

/* Serves a connection that another hub has accepted on the same address. The caller has taken a
 * permit of this thread for it. Switches. */
void acceptor_serve(struct acceptor *acceptor, int client);

#endif
