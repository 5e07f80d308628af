/* A mailbox is a lock-free stack of messages: any thread pushes, and the hub's thread takes all
 * messages at once. No node is popped singly, so there is no ABA problem. Only the push that finds
 * the stack empty wakes the loop. */
#ifndef HUBBUB_THREAD_MAILBOX_PRIV_H
#define HUBBUB_THREAD_MAILBOX_PRIV_H

#include "hub/base/loop.h"
#include "hub/thread/mailbox.h"

/* Starts receiving messages in the loop. The watcher also keeps libev waiting when there is no
 * other. */
void mailbox_start(struct hub_mailbox *mailbox, struct ev_loop *loop);

/* Stops receiving, after waiting for threads that are inside a post; drops undelivered messages. */
void mailbox_stop(struct hub_mailbox *mailbox);

#endif
