/* The same loop ends a hub's own queues and those it adopts from dead hubs: serve what permits and
 * files allow, one client of each listener in turn; close each listener once its queue is empty; on
 * FINISH, STOP or the end of ABANDONED_TIME let the rest go. An adopted queue has a coroutine and
 * an acceptor of its own, but its connections belong to the thread's acceptor of that address,
 * which drains them. */
#include "worker/queued.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "worker/acceptor.h"
#include "worker/complain.h"
#include "worker/state.h"

/* The longest pause between two looks at queues whose clients wait. */
#define LOOK_EVERY (20 * HUB_MILLISECOND)
/* Without a master, how long queued clients may be served: another master waits for the sockets. */
#define ABANDONED_TIME HUB_SECOND

/* Acceptors whose queues end together: all of a thread, or one that was adopted. */
struct queues {
	struct worker_thread *thread;
	struct acceptor *acceptors;
	unsigned count;
};

/* Serves one client of each listener, so that no client waits for another listener's queue. Returns
 * how many clients it served; *waiting becomes how many listeners have a client that must wait. */
static unsigned
serve_some(const struct queues *queues, unsigned *waiting)
{
	unsigned served = 0;

	DCHECK(thread_is_here(queues->thread));
	*waiting = 0;
	for (unsigned i = 0; i < queues->count; i++) {
		struct acceptor *acceptor = &queues->acceptors[i];

		if (acceptor->is_closed)
			continue;
		switch (acceptor_take_queued(acceptor)) {
		case ACCEPTOR_TAKEN:
			served++;
			break;
		case ACCEPTOR_FULL:
			++*waiting;
			break;
		case ACCEPTOR_EMPTY:
			acceptor_close(acceptor);
			break;
		}
	}
	return served;
}

static bool
is_to_finish(const struct worker_thread *thread)
{
	return thread_is_commanded(thread, THREAD_FINISH) ||
	       thread_is_commanded(thread, THREAD_CLOSE);
}

/* Waits for the next command, for LOOK_EVERY at most: permits and files come back without an
 * event. */
static void
wait_a_moment(struct worker_thread *thread)
{
	struct hub_timeout scope;

	hub_event_clear(&thread->command);
	hub_timeout_start(&scope, LOOK_EVERY);
	hub_event_wait(&thread->command);
	hub_timeout_stop(&scope);
}

/* Serves until all queues are empty, or the thread is to finish. */
static void
serve_all(const struct queues *queues)
{
	struct worker_thread *thread = queues->thread;
	int64_t until = HUB_FOREVER;
	unsigned waiting;

	while (!is_to_finish(thread) && hub_now() < until) {
		if (until == HUB_FOREVER && thread_is_commanded(thread, THREAD_ABANDON))
			until = hub_now() + ABANDONED_TIME;
		if (serve_some(queues, &waiting) > 0)
			continue;
		if (waiting == 0)
			return;
		wait_a_moment(thread);
	}
}

/* Lets the clients go that are still queued; all listeners share QUEUED_DISMISS_TIME. */
static void
dismiss_all(const struct queues *queues)
{
	struct worker_thread *thread = queues->thread;
	int64_t until = hub_now() + QUEUED_DISMISS_TIME;
	size_t gone = 0;

	for (unsigned i = 0; i < queues->count; i++) {
		struct acceptor *acceptor = &queues->acceptors[i];
		int64_t left = until - hub_now();

		if (acceptor->is_closed)
			continue;
		/* In an upgrade another master may have the sockets: its workers serve their
		 * queues. */
		if (thread_is_commanded(thread, THREAD_ABANDON)) {
			acceptor_close(acceptor);
			continue;
		}
		if (left < 0 || thread_is_commanded(thread, THREAD_CLOSE))
			left = 0;
		gone += acceptor_dismiss(acceptor, left / (queues->count - i));
		acceptor_close(acceptor);
	}
	if (gone > 0)
		complain(thread->heritage->counters,
			"hub %u of worker %u: %lu client%s still waited for a connection at the "
			"end, "
			"and %s let go (--drain-timeout, --max-connections)",
			thread->index, thread->heritage->index, (unsigned long)gone,
			log_plural(gone, "s"), gone == 1 ? "was" : "were");
}

static bool
are_closed(const struct queues *queues)
{
	for (unsigned i = 0; i < queues->count; i++)
		if (!queues->acceptors[i].is_closed)
			return false;
	return true;
}

static void
end_all(const struct queues *queues)
{
	queues->thread->emptying++;
	serve_all(queues);
	dismiss_all(queues);
	queues->thread->emptying--;
	CHECK_WHY(are_closed(queues), "a listener that stays open queues clients for nobody");
}

void
queued_end(struct worker_thread *thread)
{
	struct queues queues = {thread, thread->acceptors, thread->heritage->addresses};

	end_all(&queues);
}

/* ---- queues of dead hubs ---- */

struct adopted {
	struct list link; /* in the thread's adopted */
	ino_t socket;     /* inode: the same socket may be sent more than once */
	struct acceptor acceptor;
};

/* Has the thread's own acceptor of that address serve the connection, and so drain it. */
static bool
serve_as_own(struct worker_thread *thread, int client, unsigned address)
{
	acceptor_serve(&thread->acceptors[address], client);
	return true;
}

static void
free_adopted(struct adopted *adopted)
{
	list_remove(&adopted->link);
	acceptor_fini(&adopted->acceptor);
	free(adopted);
}

static void *
end_adopted(void *argument)
{
	struct adopted *adopted = argument;
	struct queues queues = {adopted->acceptor.thread, &adopted->acceptor, 1};

	end_all(&queues);
	free_adopted(adopted);
	/* It may have been the last queue for which the worker waits. */
	hub_event_set(&queues.thread->command);
	return NULL;
}

static bool
is_adopted(const struct worker_thread *thread, ino_t socket)
{
	LIST_EACH (link, &thread->adopted)
		if (CONTAINER_OF(link, struct adopted, link)->socket == socket)
			return true;
	return false;
}

/* Returns whether it has taken the file descriptor. */
static bool
adopt(struct worker_thread *thread, int listener, unsigned address)
{
	struct acceptor_uses uses = {.take_over = serve_as_own};
	struct hub_coroutine *coroutine;
	struct adopted *adopted;
	struct stat status;

	if (kernel_fstat(listener, &status) != 0 || is_adopted(thread, status.st_ino))
		return false;
	adopted = calloc(1, sizeof *adopted);
	if (adopted == NULL)
		return false;
	if (acceptor_init(&adopted->acceptor, thread, address, listener, false, uses) != 0) {
		free(adopted);
		return false;
	}
	adopted->socket = status.st_ino;
	list_append(&thread->adopted, &adopted->link);
	coroutine = hub_spawn(end_adopted, adopted);
	if (coroutine == NULL) {
		free_adopted(adopted);
		return true;
	}
	hub_set_name(coroutine, "adopted queue");
	hub_detach(coroutine);
	return true;
}

void
queued_adopt(struct worker_thread *thread, int listener, unsigned address)
{
	CHECK_WHY(
		address < thread->heritage->addresses, "its clients are served as that address's");
	if (!adopt(thread, listener, address))
		close(listener);
}

bool
queued_has_adopted(const struct worker_thread *thread)
{
	return !list_is_empty(&thread->adopted);
}

void
queued_fini(struct worker_thread *thread)
{
	/* In a thread that was never prepared, the list is all zeros. */
	while (thread->adopted.next != NULL && !list_is_empty(&thread->adopted))
		free_adopted(CONTAINER_OF(thread->adopted.next, struct adopted, link));
}
