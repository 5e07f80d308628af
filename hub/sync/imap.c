/* A map whose results are taken one by one. A coroutine, the feeder, takes arguments from the input
 * and starts a task of the pool for each, as long as there is room: a permit of `room` for each
 * task that runs or whose result is not taken. Tasks are in the list in the order in which results
 * are taken: from their start, or from their end. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "hub/coroutine_priv.h"
#include "hub/failure_priv.h"
#include "hub/generator.h"
#include "hub/scheduler_priv.h"
#include "hub/sync/pool_priv.h"
#include "hub/timeout.h"

struct hub_imap {
	struct hub_pool *pool;
	hub_fn *body;
	bool (*next)(void *input, void **argument);
	void *input;
	enum hub_imap_order order;
	struct hub_coroutine *feeder;
	struct hub_semaphore room;  /* for tasks that run, or whose result is not taken */
	struct hub_event changed;   /* set when a task ends, or the feeder does */
	struct task *first;         /* list of tasks in the order in which results are taken */
	struct task **last;         /* where the next task is linked in */
	size_t running;             /* tasks that have not ended */
	bool is_fed;                /* the feeder starts no more tasks */
	int error;                  /* why the feeder stopped early; 0: it did not */
	struct hub_failure failure; /* the input's failure; code 0: none */
};

/* Whether the list ends where the next task is linked in, and running counts the tasks that have
 * not ended: those of the list, if tasks are in it from their start. */
static bool
imap_is_consistent(const struct hub_imap *imap)
{
	struct task *const *place = &imap->first;
	size_t running = 0;

	for (; *place != NULL; place = &(*place)->next)
		running += !(*place)->is_done;
	return place == imap->last &&
	       running == (imap->order == HUB_IMAP_ORDERED ? imap->running : 0);
}

static void
imap_append(struct hub_imap *imap, struct task *task)
{
	task->next = NULL;
	*imap->last = task;
	imap->last = &task->next;
}

static void
imap_task_ended(struct task *task)
{
	DCHECK(task->imap->running > 0);
	task->imap->running--;
	if (task->imap->order == HUB_IMAP_AS_THEY_END)
		imap_append(task->imap, task);
}

static int
imap_feed_one(struct hub_imap *imap, void *argument)
{
	struct task *task = calloc(1, sizeof *task);

	if (task == NULL)
		return ENOMEM;
	task->done = &imap->changed;
	task->imap = imap;
	task->ended = imap_task_ended;
	if (task_start(imap->pool, imap->body, argument, task) != 0) {
		free(task);
		return errno;
	}
	imap->running++;
	if (imap->order == HUB_IMAP_ORDERED)
		imap_append(imap, task);
	DCHECK(imap_is_consistent(imap));
	return 0;
}

/* The input has ended: notes its failure, if it is a generator that failed, or if next called
 * hub_fail in this coroutine. */
static void
imap_input_ended(struct hub_imap *imap)
{
	const struct hub_failure *failure = hub_failure_of(hub_current());

	if (failure == NULL && imap->next == (bool (*)(void *, void **))hub_generator_next)
		failure = hub_generator_failure(imap->input);
	if (failure == NULL)
		return;
	imap->failure = *failure;
	imap->error = failure->code;
}

static void *
imap_feed(void *argument)
{
	struct hub_imap *imap = argument;
	void *item;

	while (imap->error == 0) {
		if (hub_semaphore_acquire(&imap->room) != 0) {
			imap->error = errno;
		} else if (!imap->next(imap->input, &item)) {
			imap_input_ended(imap);
			break;
		} else {
			imap->error = imap_feed_one(imap, item);
		}
	}
	imap->is_fed = true;
	hub_event_set(&imap->changed);
	return NULL;
}

struct hub_imap *
hub_imap_new(struct hub_pool *pool, hub_fn *body, bool (*next)(void *input, void **argument),
	void *input, size_t ahead, enum hub_imap_order order)
{
	struct hub_imap *imap;

	if (ahead == 0 || (unsigned)order >= HUB_IMAP_ORDER_MAX) {
		errno = EINVAL;
		return NULL;
	}
	imap = calloc(1, sizeof *imap);
	if (imap == NULL)
		return NULL;
	imap->pool = pool;
	imap->body = body;
	imap->next = next;
	imap->input = input;
	imap->order = order;
	imap->last = &imap->first;
	hub_semaphore_init(&imap->room, ahead < UINT_MAX ? (unsigned)ahead : UINT_MAX);
	imap->feeder = hub_spawn(imap_feed, imap);
	if (imap->feeder == NULL) {
		int error = errno;

		free(imap);
		errno = error;
		return NULL;
	}
	hub_set_name(imap->feeder, "imap");
	return imap;
}

int
hub_imap_next(struct hub_imap *imap, void **result, struct hub_failure *failure)
{
	struct task *task;

	failure = failure_place(failure, &(struct hub_failure){0});
	if (hub_enter() == NULL)
		return hub_fail_in_turn();
	while (imap->first == NULL || !imap->first->is_done) {
		if (imap->is_fed && imap->first == NULL && imap->running == 0) {
			*failure = imap->failure;
			errno = imap->error;
			return imap->error == 0 ? 0 : -1;
		}
		hub_event_clear(&imap->changed);
		if (hub_event_wait(&imap->changed) != 0)
			return -1;
	}
	DCHECK(imap_is_consistent(imap));
	task = imap->first;
	imap->first = task->next;
	if (imap->first == NULL)
		imap->last = &imap->first;
	*result = task->result;
	*failure = task->failure;
	free(task);
	hub_semaphore_release(&imap->room);
	return 1;
}

/* Kills the map's running tasks. With HUB_IMAP_AS_THEY_END they are in no list of the map, so they
 * are found among the pool's children. */
static void
imap_kill(struct hub_imap *imap)
{
	for (struct hub_coroutine *child = imap->pool->group.first; child != NULL;
		child = child->sibling_next)
		for (struct hub_link *link = child->links; link != NULL; link = link->next) {
			const struct task *task = task_of(link);

			if (task != NULL && task->imap == imap)
				coroutine_kill(child);
		}
}

void
hub_imap_free(struct hub_imap *imap)
{
	struct hub_timeout shield;
	int deadlocks = 0;

	if (imap == NULL)
		return;
	CHECK_WHY(imap->changed.first == NULL,
		"an imap is freed while somebody waits for its next result");
	hub_shield_start(&shield);
	hub_kill(imap->feeder);
	while (hub_join(imap->feeder, NULL) != 0)
		hub_wait_failed_again(&deadlocks, "deadlock: an imap's input does not end");
	imap_kill(imap);
	while (imap->running > 0)
		task_wait_out(&imap->changed, &deadlocks);
	hub_shield_stop(&shield);
	DCHECK(imap->running == 0 && imap_is_consistent(imap));
	while (imap->first != NULL) {
		struct task *task = imap->first;

		imap->first = task->next;
		free(task);
	}
	free(imap);
}
