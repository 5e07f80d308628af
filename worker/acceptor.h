/* An acceptor: the hub's server for one listening socket, with the worker's permits, counters and log. */
#ifndef HUBBUB_WORKER_ACCEPTOR_H
#define HUBBUB_WORKER_ACCEPTOR_H

#include "worker/thread.h"

/* Makes one, which owns the socket, and whose connections run in the thread's pool. NULL with errno ENOMEM. */
struct hub_server *acceptor_new(struct worker_thread *thread, int socket);

/* Lets the thread's acceptors try again, if one of them was without a permit. */
void acceptor_retry(struct worker_thread *thread);

/* Stops waiting for connections. The socket stays open until the process ends, because others hold it too: libev
 * would rebuild its epoll set at each event of a closed descriptor. Switches. */
void acceptor_pause(struct hub_server *acceptor);

/* Accepts what is queued, unless the thread is to stop; after acceptor_pause. Switches. */
void acceptor_empty(struct worker_thread *thread, struct hub_server *acceptor);

#endif
