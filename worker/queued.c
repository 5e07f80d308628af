#include "worker/queued.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "worker/acceptor.h"
#include "worker/complain.h"
#include "worker/state.h"

#define LOOK_EVERY (20 * HUB_MILLISECOND)
/* When the master is dead, for what is queued to be served: another one waits for the sockets. */
#define ABANDONED_TIME HUB_SECOND

/* Acceptors whose queues end together. */
struct queues {
	struct worker_thread *thread;
	struct acceptor *acceptors;
	unsigned count;
};

/* Serves one client of each listener, so that none waits for another's queue. Returns how many
 * there were; *waiting becomes how many listeners have somebody who must wait. */
static unsigned
serve_some(const struct queues *queues, unsigned *waiting)
{
	unsigned served = 0;

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
	       thread_is_commanded(thread, THREAD_STOP);
}

/* Until the next command, and for a moment at most: permits and files come back without a word. */
static void
wait_a_moment(struct worker_thread *thread)
{
	struct hub_timeout scope;

	hub_event_clear(&thread->command);
	hub_timeout_start(&scope, LOOK_EVERY);
	hub_event_wait(&thread->command);
	hub_timeout_stop(&scope);
}

/* Until all queues are empty, or the time is over. */
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

/* Lets those go who are still queued, all listeners in the same time. */
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
		/* In an upgrade another master may have the sockets, and is to serve their
		 * queues. */
		if (thread_is_commanded(thread, THREAD_ABANDON)) {
			acceptor_close(acceptor);
			continue;
		}
		if (left < 0 || thread_is_commanded(thread, THREAD_STOP))
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

static void
end_all(const struct queues *queues)
{
	queues->thread->emptying++;
	serve_all(queues);
	dismiss_all(queues);
	queues->thread->emptying--;
}

void
queued_end(struct worker_thread *thread)
{
	struct queues queues = {thread, thread->acceptors, thread->heritage->addresses};

	end_all(&queues);
}

/* ---- queues of the dead ---- */

struct adopted {
	struct list link; /* of its thread's */
	ino_t socket;
	struct acceptor acceptor;
};

/* Its connections are those of the thread's own acceptor, which drains them. */
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
	/* It may be the last that the worker waits for. */
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

/* Returns whether it has the descriptor now. */
static bool
adopt(struct worker_thread *thread, int listener, unsigned address)
{
	struct acceptor_uses uses = {.take_over = serve_as_own};
	struct hub_coroutine *coroutine;
	struct adopted *adopted;
	struct stat status;

	if (fstat(listener, &status) != 0 || is_adopted(thread, status.st_ino))
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
	/* A thread that was never prepared has no list either. */
	while (thread->adopted.next != NULL && !list_is_empty(&thread->adopted))
		free_adopted(CONTAINER_OF(thread->adopted.next, struct adopted, link));
}
