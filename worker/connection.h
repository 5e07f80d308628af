/* A connection: a descriptor, and the coroutine that runs the service's function on it. */
#ifndef HUBBUB_WORKER_CONNECTION_H
#define HUBBUB_WORKER_CONNECTION_H

#include "worker/thread.h"

/* Starts serving client, which is closed when the service's function returns, or at once when this
 * fails. Returns 0, or -1 with errno ENOMEM or ECANCELED (the hub is ending). */
int connection_open(struct worker_thread *thread, int client);

/* Closes the connections whose coroutine was killed before it ever ran. After hub_run only. */
void connection_close_rest(struct worker_thread *thread);

#endif
