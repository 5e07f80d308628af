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
	struct hub_server *server;   /* owned; NULL for a datagram socket */
	struct datagrams *datagrams; /* owned; NULL for a listener */
};

/* Prepares one, which owns the socket, and whose connections run in the thread's pool. Returns
 * 0, or -1 with errno ENOMEM. */
int acceptor_init(struct acceptor *acceptor, struct worker_thread *thread, unsigned address,
	int socket, struct acceptor_uses uses);
void acceptor_fini(struct acceptor *acceptor);

/* Begins to accept. Switches: no.  Returns 0, or -1 with errno ENOMEM. */
int acceptor_start(struct acceptor *acceptor);

/* Lets the thread's acceptors try again, if one of them was without a permit. */
void acceptor_retry(struct worker_thread *thread);

/* Stops waiting for connections. Datagrams that have come are answered first. Switches. */
void acceptor_pause(struct acceptor *acceptor);

/* Accepts as many as may be queued, until that time (hub_now) at most, unless the thread is to
 * stop; after acceptor_pause. Switches. */
void acceptor_empty(struct acceptor *acceptor, int64_t until);

/* Closes the socket, after acceptor_pause: what has been accepted goes on. */
void acceptor_close(struct acceptor *acceptor);

/* Serves a connection that another hub has accepted on the same address, with the thread's
 * permit. Switches. */
void acceptor_serve(struct acceptor *acceptor, int client);

#endif
