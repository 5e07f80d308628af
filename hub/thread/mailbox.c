/* Any thread pushes messages on a stack (mailbox_priv.h), and an ev_async wakes the loop. posters
 * counts the threads inside a post: the hub does not end before they have left. A counter of forks
 * identifies mailboxes of the parent's hubs, which do not run in a child process. */
#include "hub/thread/mailbox_priv.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>

#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/coroutine_priv.h"
#include "hub/scheduler_priv.h"

/* Returns the messages in the order of their posts: the newest one is on top of the stack. */
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

/* The message of hub_spawn_into. */
struct spawn_message {
	struct hub_message message;
	hub_fn *body;
	void *argument;
	const void *spawned_at;
};

static void
deliver_spawn(struct hub_message *message)
{
	struct spawn_message *spawn = CONTAINER_OF(message, struct spawn_message, message);
	struct hub_coroutine *coroutine =
		coroutine_spawn(spawn->body, spawn->argument, spawn->spawned_at);

	if (coroutine != NULL)
		coroutine->is_detached = true;
	free(spawn);
}

/* Frees the undelivered messages that belong to the library: those of hub_spawn_into. */
static void
drop_spawns(struct hub_message *message)
{
	while (message != NULL) {
		struct hub_message *next = message->next;

		if (message->deliver == deliver_spawn)
			free(CONTAINER_OF(message, struct spawn_message, message));
		message = next;
	}
}

/* How many forks lie between this process and the first one that had a hub. */
static unsigned forks;

static void
count_fork(void)
{
	forks++;
}

static __attribute__((constructor(200))) void
register_count(void)
{
	fork_on_child(count_fork);
}

/* Whether the mailbox's hub is the parent's, which does not run in this process. */
static bool
is_parents(const struct hub_mailbox *mailbox)
{
	return mailbox->forks != forks || fork_is_wiped();
}

void
mailbox_start(struct hub_mailbox *mailbox, struct ev_loop *loop)
{
	mailbox->forks = forks;
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
	drop_spawns(atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire));
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

	if (is_parents(mailbox))
		return;
	atomic_fetch_add_explicit(&mailbox->posters, 1, memory_order_acquire);
	CHECK_WHY(mailbox->loop != NULL, "a message is posted to a hub that has ended");
	newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);
	do {
		message->next = newest;
	} while (!atomic_compare_exchange_weak_explicit(
		&mailbox->newest, &newest, message, memory_order_acq_rel, memory_order_relaxed));
	if (newest == NULL) {
		/* ev_async_send writes to an eventfd. It must not switch, since the caller may hold
		 * locks: bypass hub/patch. */
		bypass_begin();
		ev_async_send(mailbox->loop, &mailbox->wake);
		bypass_end();
	}
	atomic_fetch_sub_explicit(&mailbox->posters, 1, memory_order_release);
}

int
hub_spawn_into(struct hub_mailbox *mailbox, hub_fn *body, void *argument)
{
	struct spawn_message *spawn = malloc(sizeof *spawn);

	if (spawn == NULL)
		return -1;
	*spawn = (struct spawn_message){
		{.deliver = deliver_spawn}, body, argument, __builtin_return_address(0)};
	hub_mailbox_post(mailbox, &spawn->message);
	return 0;
}
