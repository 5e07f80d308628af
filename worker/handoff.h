/* Connections that one hub of the process accepts and another serves: because that one has fewer,
 * or because nobody else accepts on a listener. */
#ifndef HUBBUB_WORKER_HANDOFF_H
#define HUBBUB_WORKER_HANDOFF_H

#include "worker/state.h"

/* Gives a connection that thread has just accepted on the address of that index to a sibling
 * with clearly fewer, if there is one. Returns whether it did; the connection is the sibling's
 * then, and so is its permit. */
bool handoff_offer(struct worker_thread *thread, int client, unsigned address);

/* Accepts so many at most of those that are queued on listener, which is one of that address,
 * spreads them over the hubs, as far as these have permits, and closes listener, which never enters
 * a loop. Called by the leading hub. */
void handoff_adopt(struct worker_thread *leader, int listener, unsigned address, unsigned most);

/* Serves what siblings give: the body of a coroutine of each hub; its argument is the thread. */
void *handoff_run(void *thread);

#endif
