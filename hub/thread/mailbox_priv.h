#ifndef HUBBUB_THREAD_MAILBOX_PRIV_H
#define HUBBUB_THREAD_MAILBOX_PRIV_H

#include <ev.h>
#include <stdatomic.h>

#include "hub/thread/mailbox.h"

/* Any thread pushes, the hub's thread takes all at once: no node is ever popped singly, so there is
 * no ABA. Only the push that finds it empty wakes the loop. */
struct hub_mailbox {
	_Atomic(struct hub_message *) newest;
	ev_async wake;
	struct ev_loop *loop;
};

/* Starts receiving in the loop; the watcher does not keep the loop busy. */
void mailbox_start(struct hub_mailbox *mailbox, struct ev_loop *loop);

/* Stops; what is undelivered is dropped. */
void mailbox_stop(struct hub_mailbox *mailbox);

#endif
