/* An acceptor: what one hub does with one of its sockets. Of a listener it is the hub's server,
 * with the worker's permits, counters and log; of a datagram socket the coroutine that answers. */
#ifndef HUBBUB_WORKER_ACCEPTOR_H
#define HUBBUB_WORKER_ACCEPTOR_H

#include <stdbool.h>

#include "hub/io/server.h"

struct datagrams;
struct worker_thread;

/* What becomes of a connection that a listener has accepted. */
struct acceptor_uses {
	/* Offers it to another hub, before anything else; returns whether that has it now. */
	bool (*take_over)(struct worker_thread *thread, int client, unsigned address);
	/* Serves it, as a coroutine; context is the acceptor. */
	void (*serve)(int client, void *context);
};

struct acceptor {
	struct worker_thread *thread;
	unsigned address; /* index */
	struct acceptor_uses uses;
	bool is_path;                /* a Unix socket: its peers are on this machine */
	bool is_kept;                /* a service manager keeps its queue for the next server */
	bool is_closed;              /* by acceptor_close */
	unsigned taken;              /* by acceptor_take_queued */
	struct hub_server *server;   /* owned; NULL for a datagram socket */
	struct datagrams *datagrams; /* owned; NULL for a listener */
};

/* Prepares one, which owns the socket, and whose connections run in the thread's pool; is_kept: a
 * service manager has the socket, too. Returns 0, or -1 with errno ENOMEM. */
int acceptor_init(struct acceptor *acceptor, struct worker_thread *thread, unsigned address,
	int socket, bool is_kept, struct acceptor_uses uses);
void acceptor_fini(struct acceptor *acceptor);

/* Whether a connection from there may be served: who sends PROXY headers must be trusted. One that
 * may not is counted and logged. Switches: no. */
bool acceptor_admits(struct acceptor *acceptor, const struct sockaddr_storage *address);

/* Begins to accept. Switches: no.  Returns 0, or -1 with errno ENOMEM. */
int acceptor_start(struct acceptor *acceptor);

/* Lets the thread's acceptors try again, if one of them was without a permit. */
void acceptor_retry(struct worker_thread *thread);

/* Permits end before files do, so that no accept fails for lack of those. Called at each pulse,
 * before acceptor_retry: while clients wait because the process has all permits that its files
 * allow, counts one such failure a second. */
void acceptor_count_starved(struct worker_thread *thread);

/* Stops waiting for connections. Datagrams that have come are answered first. Switches. */
void acceptor_pause(struct acceptor *acceptor);

/* What a listener's queue was found to be. */
enum acceptor_queue {
	ACCEPTOR_EMPTY, /* or it is not for this process to serve what it has */
	ACCEPTOR_TAKEN, /* one is served */
	ACCEPTOR_FULL   /* somebody is queued, for whom there is no permit, or no file */
};

/* Serves one who is queued, after acceptor_pause; of a queue that is kept for another server, at
 * most as many as it is long. While the thread is emptying its queues the permits of its siblings
 * are its own. Switches. */
enum acceptor_queue acceptor_take_queued(struct acceptor *acceptor);

/* Lets those go who are queued, for nanoseconds at most, unless the queue is kept for another
 * server; after acceptor_pause. Returns how many. Switches. */
size_t acceptor_dismiss(struct acceptor *acceptor, int64_t nanoseconds);

/* Closes the socket, after acceptor_pause: what has been accepted goes on. */
void acceptor_close(struct acceptor *acceptor);

/* Calls visit for each connection of the thread, as hub_server_visit does. */
void acceptor_visit_all(struct worker_thread *thread,
	void (*visit)(const struct hub_connection *connection, void *context), void *context);

/* Serves a connection that another hub has accepted on the same address, with the thread's
 * permit. Switches. */
void acceptor_serve(struct acceptor *acceptor, int client);

#endif
