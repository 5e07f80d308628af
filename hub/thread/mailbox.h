/* The only door into another thread's hub: post a message, and the hub's thread delivers it. */
#ifndef HUBBUB_THREAD_MAILBOX_H
#define HUBBUB_THREAD_MAILBOX_H

#include "../record.h"

HUBBUB_API_BEGIN

struct hub_mailbox;

/* Embedded in the sender's object. */
struct hub_message {
	struct hub_message *next; /* the library's */
	/* Runs on the receiving hub's thread, between coroutines: it must not block, and may spawn,
	 * kill, set events, free the message or post it again. */
	void (*deliver)(struct hub_message *message);
};

/* The calling thread's mailbox, valid until its hub_run returns. A hub whose mailbox was asked for
 * can be woken from outside, so it is never found deadlocked.
 * Switches: no.  Returns NULL with errno EPERM (this thread runs no hub). */
struct hub_mailbox *hub_mailbox(void);

/* Delivers message in the mailbox's hub soon; messages of one sender arrive in order. A message may
 * end the hub, but none may be posted after one that does; what is undelivered then is dropped.
 * Switches: no.  Thread: any, also one without a hub; not a signal handler.  Never blocks or fails.
 * Ownership: the message is the hub's until deliver is called. In a forked child nothing is posted
 * to a hub of the parent's. */
void hub_mailbox_post(struct hub_mailbox *mailbox, struct hub_message *message);

/* Spawns body(argument) in the mailbox's hub, soon, as hub_go does there: its failure is reported.
 * Where that hub cannot (it ends, or memory is out there) body never runs; who must know has it say
 * so, by a message or a shared object.
 * Switches: no.  Thread: as hub_mailbox_post.  Returns 0, or -1 with errno ENOMEM. */
int hub_spawn_into(struct hub_mailbox *mailbox, hub_fn *body, void *argument);

HUBBUB_API_END

#endif
