/* Connections that one hub of the process accepts and another serves: because the other has fewer,
 * or because the listener's own hub no longer accepts. */
#ifndef HUBBUB_WORKER_HANDOFF_H
#define HUBBUB_WORKER_HANDOFF_H

#include "worker/state.h"

/* Offers a connection that thread has just accepted, on the address of that index, to the sibling
 * with the fewest connections. If that has clearly fewer, the connection goes to it with one of its
 * permits, and the permit of thread is given back. Returns whether it went. Switches: no. */
bool handoff_offer(struct worker_thread *thread, int client, unsigned address);

/* Accepts at most most clients that are queued on listener, a listener of that address, and spreads
 * them over the worker's hubs as far as these have permits. Closes listener, which is never watched
 * by a loop. Only in the leading hub. Switches: no. */
void handoff_adopt(struct worker_thread *leader, int listener, unsigned address, unsigned most);

/* The body of the coroutine that serves connections from siblings, one in each hub; its argument is
 * the thread. */
void *handoff_run(void *argument);

#endif
