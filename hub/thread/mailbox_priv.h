/* Any thread pushes, the hub's thread takes all at once: no node is ever popped singly, so there is
 * no ABA. Only the push that finds it empty wakes the loop. */
#ifndef HUBBUB_THREAD_MAILBOX_PRIV_H
#define HUBBUB_THREAD_MAILBOX_PRIV_H

#include "hub/base/loop.h"
#include "hub/thread/mailbox.h"

/* Starts receiving in the loop. libev does not wait without a watcher, and this may be the only
 * one. */
void mailbox_start(struct hub_mailbox *mailbox, struct ev_loop *loop);

/* Stops, when no thread is posting any more; what is undelivered is dropped. */
void mailbox_stop(struct hub_mailbox *mailbox);

#endif
