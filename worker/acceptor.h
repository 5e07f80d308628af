/* The acceptor: one coroutine per listening socket that turns queued connections into coroutines. */
#ifndef HUBBUB_WORKER_ACCEPTOR_H
#define HUBBUB_WORKER_ACCEPTOR_H

#include "worker/thread.h"

struct acceptor {
	struct worker_thread *thread;
	int socket;
	struct hub_coroutine *coroutine; /* NULL when it does not run */
	int64_t pause;                   /* next back-off, in nanoseconds; 0 after a success */
};

/* Prepares an acceptor for a bound socket, which it owns from now on. */
void acceptor_init(struct acceptor *acceptor, struct worker_thread *thread, int socket);

/* Starts accepting. Returns 0, or -1 with errno ENOMEM. */
int acceptor_start(struct acceptor *acceptor);

/* Stops waiting for connections, accepts what is queued, and closes the socket. Switches. */
void acceptor_drain(struct acceptor *acceptor);

#endif
