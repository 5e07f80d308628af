/* A hub that cannot accept any more, because other code of its process has closed a listening
 * socket, or another process has shut it down. */
#ifndef HUBBUB_WORKER_DEAF_H
#define HUBBUB_WORKER_DEAF_H

#include "worker/state.h"

/* Stops the hub's heartbeat until it leaves: no new connections are steered to it, and the master
 * replaces it as a hub that hangs. Does nothing if the hub is leaving already. error is the errno
 * of accept(2). */
void deaf_fall(struct worker_thread *thread, int error);

/* At each pulse: logs once why the hub is deaf, as soon as it has been so for half a second. */
void deaf_tell(struct worker_thread *thread);

#endif
