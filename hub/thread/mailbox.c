#include "hub/thread/mailbox_priv.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>

#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/scheduler_priv.h"

/* The newest message is on top of the stack; delivery is oldest first. */
static struct hub_message *
reverse(struct hub_message *newest)
{
	struct hub_message *oldest = NULL;

	while (newest != NULL) {
		struct hub_message *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

static void
deliver_all(struct ev_loop *loop, ev_async *wake, int events)
{
	struct hub_mailbox *mailbox = CONTAINER_OF(wake, struct hub_mailbox, wake);
	struct hub_message *message =
		reverse(atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire));

	(void)loop, (void)events;
	while (message != NULL) {
		/* Read before deliver, which may free the message. */
		struct hub_message *next = message->next;

		message->deliver(message);
		message = next;
	}
}

void
mailbox_start(struct hub_mailbox *mailbox, struct ev_loop *loop)
{
	atomic_init(&mailbox->newest, NULL);
	atomic_init(&mailbox->posters, 0);
	mailbox->loop = loop;
	ev_async_init(&mailbox->wake, deliver_all);
	ev_async_start(loop, &mailbox->wake);
}

void
mailbox_stop(struct hub_mailbox *mailbox)
{
	while (atomic_load_explicit(&mailbox->posters, memory_order_acquire) != 0)
		kernel_sched_yield();
	ev_async_stop(mailbox->loop, &mailbox->wake);
	mailbox->loop = NULL;
}

struct hub_mailbox *
hub_mailbox(void)
{
	if (hub_this == NULL || hub_this->loop == NULL) {
		errno = EPERM;
		return NULL;
	}
	hub_this->is_reachable = true;
	return &hub_this->mailbox;
}

void
hub_mailbox_post(struct hub_mailbox *mailbox, struct hub_message *message)
{
	struct hub_message *newest;

	atomic_fetch_add_explicit(&mailbox->posters, 1, memory_order_acquire);
	newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);
	do {
		message->next = newest;
	} while (!atomic_compare_exchange_weak_explicit(
		&mailbox->newest, &newest, message, memory_order_acq_rel, memory_order_relaxed));
	if (newest == NULL)
		ev_async_send(mailbox->loop, &mailbox->wake);
	atomic_fetch_sub_explicit(&mailbox->posters, 1, memory_order_release);
}
