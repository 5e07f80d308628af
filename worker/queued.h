/* The end of a hub's queues: what becomes of clients that the kernel has queued at its listeners
 * when the hub accepts no more and no other hub will. */
#ifndef HUBBUB_WORKER_QUEUED_H
#define HUBBUB_WORKER_QUEUED_H

#include <stdbool.h>

#include "hub/timeout.h"

/* How long it may take to let the last clients go, in nanoseconds. */
#define QUEUED_DISMISS_TIME HUB_SECOND

struct worker_thread;

/* After acceptor_pause of each acceptor: serves queued clients as permits and files allow, and
 * closes each listener once its queue is empty. When the thread must finish, accepts the clients
 * that are left, ends their connections without a reset, and closes all listeners; without a
 * master, closes all of them after a second. Clients left in a queue that a service manager keeps
 * are for its next server.
 * Switches: yes. */
void queued_end(struct worker_thread *thread);

/* Ends the queue of another hub's listener, of a hub that is dead or hangs and has no successor, as
 * queued_end ends the thread's own. Owns the file descriptor. Closes it at once if the thread has
 * this queue already; also if there is no memory, after which the master sends it again. Switches:
 * no. */
void queued_adopt(struct worker_thread *thread, int listener, unsigned address);

/* Whether the thread still has an adopted queue. */
bool queued_has_adopted(const struct worker_thread *thread);

/* Frees the adopted queues whose coroutines were killed with the hub. */
void queued_fini(struct worker_thread *thread);

#endif
