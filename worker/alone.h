/* The end of a worker whose master is dead. */
#ifndef HUBBUB_WORKER_ALONE_H
#define HUBBUB_WORKER_ALONE_H

#include "worker/leader.h"

/* Has all hubs serve their queues, close their sockets and drain, and stops them at the deadline.
 * Called in the first hub, once the channel has ended. Switches: yes. */
void alone_drain(struct worker *worker);

#endif
