/* Mailbox: the only way into another thread's hub. Any thread posts a message, and the hub's thread
 * delivers it. */
#ifndef HUBBUB_THREAD_MAILBOX_H
#define HUBBUB_THREAD_MAILBOX_H

#include "../record.h"

HUBBUB_API_BEGIN

struct hub_mailbox;

/* A message, embedded in an object of the sender. */
struct hub_message {
	struct hub_message *next; /* used by the library */
	/* Called on the receiving hub's thread, between coroutines: it must not block. It may
	 * spawn, kill, set events, free the message, or post it again. */
	void (*deliver)(struct hub_message *message);
};

/* The mailbox of the calling thread's hub, valid until its hub_run returns. From then on the hub
 * can be woken by other threads, so its coroutines are never told of a deadlock.
 * Switches: no.  Returns NULL with errno EPERM (this thread runs no hub). */
struct hub_mailbox *hub_mailbox(void);

/* Posts message: the mailbox's hub delivers it soon. Messages of one sender are delivered in the
 * order of their posts. A message may end the hub, but none may be posted after that one; messages
 * that are undelivered then are dropped.
 * Switches: no.  Thread: any, also without a hub; not in a signal handler.  Never blocks or fails.
 * Ownership: the message is the hub's until deliver is called. In a forked child a post to a hub of
 * the parent does nothing. */
void hub_mailbox_post(struct hub_mailbox *mailbox, struct hub_message *message);

/* Spawns body(argument) in the mailbox's hub, soon, as hub_go does there: a failure of it is
 * reported. If that hub cannot spawn it (it ends, or has no memory), body never runs; a caller that
 * must know needs a sign from body, by a message or a shared object.
 * Switches: no.  Thread: as hub_mailbox_post.  Returns 0, or -1 with errno ENOMEM. */
int hub_spawn_into(struct hub_mailbox *mailbox, hub_fn *body, void *argument);

HUBBUB_API_END

#endif
