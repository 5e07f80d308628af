/* An acceptor: the hub's server for one listening socket, with the worker's counters and log. */
#ifndef HUBBUB_WORKER_ACCEPTOR_H
#define HUBBUB_WORKER_ACCEPTOR_H

#include "worker/thread.h"

/* Makes one, which owns the socket, and whose connections run in the thread's pool. NULL with errno ENOMEM. */
struct hub_server *acceptor_new(struct worker_thread *thread, int socket);

/* Stops waiting for connections, accepts what is queued, unless the thread is to stop, and closes the socket.
 * Switches. */
void acceptor_drain(struct worker_thread *thread, struct hub_server *acceptor);

#endif
