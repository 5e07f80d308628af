#ifndef HUBBUB_THREAD_MAILBOX_PRIV_H
#define HUBBUB_THREAD_MAILBOX_PRIV_H

#include <stdatomic.h>

#include "hub/base/loop.h"
#include "hub/thread/mailbox.h"

/* Any thread pushes, the hub's thread takes all at once: no node is ever popped singly, so there is
 * no ABA. Only the push that finds it empty wakes the loop. */
struct hub_mailbox {
	_Atomic(struct hub_message *) newest;
	/* Threads inside hub_mailbox_post: what they post may end the hub while they are still
	 * about to wake its loop, so the loop is kept until they have left. */
	atomic_uint posters;
	ev_async wake;
	struct ev_loop *loop;
};

/* Starts receiving in the loop. libev does not wait without a watcher, and this may be the only
 * one. */
void mailbox_start(struct hub_mailbox *mailbox, struct ev_loop *loop);

/* Stops, when no thread is posting any more; what is undelivered is dropped. */
void mailbox_stop(struct hub_mailbox *mailbox);

#endif
