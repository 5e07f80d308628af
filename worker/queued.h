/* The end of a hub's queues: what becomes of clients whom the kernel has queued at its listeners,
 * when the hub accepts no more and nobody else will. */
#ifndef HUBBUB_WORKER_QUEUED_H
#define HUBBUB_WORKER_QUEUED_H

#include <stdbool.h>

#include "hub/timeout.h"

/* How long, nanoseconds, the last of them may take to be let go. */
#define QUEUED_DISMISS_TIME HUB_SECOND

struct worker_thread;

/* Serves those who are queued, as permits and files allow, and closes each listener whose queue
 * is empty. When the thread must finish, it lets those go who are left, without a reset, and
 * closes all. Without a master it closes all after a second. Queues that a service manager keeps
 * are its next server's. After acceptor_pause of each acceptor. Switches: yes. */
void queued_end(struct worker_thread *thread);

/* Makes the queue of a listener, whose hub is dead or hangs, and whom nobody follows, one of the
 * thread's own last ones: those who wait there are served by it, or let go, as queued_end does.
 * Owns the descriptor. One whose queue the thread has already is closed; one for which there is no
 * memory, too, for the master sends it again. Switches: no. */
void queued_adopt(struct worker_thread *thread, int listener, unsigned address);

/* Whether it still has such a queue. */
bool queued_has_adopted(const struct worker_thread *thread);

/* Frees what a killed hub has left of them. */
void queued_fini(struct worker_thread *thread);

#endif
