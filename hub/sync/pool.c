#include "hub/sync/pool.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/coroutine_priv.h"
#include "hub/failure_priv.h"
#include "hub/generator.h"
#include "hub/link.h"
#include "hub/sync/event.h"
#include "hub/sync/group_priv.h"
#include "hub/timeout.h"

static void
child_ended(struct hub_group *group, struct hub_coroutine *child)
{
	(void)child;
	hub_semaphore_release(&CONTAINER_OF(group, struct hub_pool, group)->slots);
}

void
hub_pool_init(struct hub_pool *pool, unsigned size)
{
	group_init(&pool->group, child_ended);
	hub_semaphore_init(&pool->slots, size != 0 ? size : UINT_MAX);
}

/* With a slot taken, which is given back if it fails. */
static struct hub_coroutine *
spawn(struct hub_pool *pool, hub_fn *body, void *argument, const void *spawned_at)
{
	struct hub_coroutine *child = group_spawn(&pool->group, body, argument, spawned_at);
	int error = errno;

	if (child != NULL)
		return child;
	hub_semaphore_release(&pool->slots);
	errno = error;
	return NULL;
}

struct hub_coroutine *
hub_pool_spawn(struct hub_pool *pool, hub_fn *body, void *argument)
{
	if (hub_semaphore_acquire(&pool->slots) != 0)
		return NULL;
	return spawn(pool, body, argument, __builtin_return_address(0));
}

struct hub_coroutine *
hub_pool_try_spawn(struct hub_pool *pool, hub_fn *body, void *argument)
{
	if (hub_semaphore_try_acquire(&pool->slots) != 0)
		return NULL;
	return spawn(pool, body, argument, __builtin_return_address(0));
}

int
hub_pool_wait(struct hub_pool *pool)
{
	if (hub_semaphore_acquire(&pool->slots) != 0)
		return -1;
	return hub_semaphore_release(&pool->slots);
}

size_t
hub_pool_count(const struct hub_pool *pool)
{
	return pool->group.count;
}

unsigned
hub_pool_free_count(const struct hub_pool *pool)
{
	return pool->slots.count;
}

void
hub_pool_kill(struct hub_pool *pool)
{
	group_kill(&pool->group);
}

int
hub_pool_join(struct hub_pool *pool)
{
	int reason;

	if (hub_enter() == NULL)
		return -1;
	reason = group_wait(&pool->group, "pool", false);
	return failed(reason);
}

/* ---- tasks: whose results somebody waits for ---- */

/* One call of a body in a pool. */
struct task {
	struct hub_link link;
	struct hub_coroutine *coroutine; /* NULL before it starts and after it has ended */
	void *result;
	struct hub_failure failure;
	bool is_done;
	struct hub_event *done; /* set at the end; borrowed */
	struct hub_imap *imap;  /* NULL in apply and map */
	struct task *next;
};

static void imap_task_ended(struct task *task);

static void
task_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct task *task = CONTAINER_OF(link, struct task, link);

	task->coroutine = NULL;
	task->result = coroutine->result;
	task->is_done = true;
	/* The one who waits tells of the failure, so it is not reported. */
	if (coroutine->failure != NULL) {
		task->failure = *coroutine->failure;
		coroutine->is_told = true;
	} else if (coroutine->is_killed && coroutine->result == NULL) {
		task->failure = (struct hub_failure){ECANCELED, "killed"};
	}
	if (task->imap != NULL)
		imap_task_ended(task);
	hub_event_set(task->done);
}

static int
task_start(struct hub_pool *pool, hub_fn *body, void *argument, struct task *task)
{
	task->coroutine = hub_pool_spawn(pool, body, argument);
	if (task->coroutine == NULL)
		return -1;
	task->link.ended = task_ended;
	hub_link(task->coroutine, &task->link);
	return 0;
}

/* In a shield: waits until something has changed, of tasks that were killed. If they wait for ever
 * all the same, nothing can be saved: they use the caller's memory. */
static void
wait_out(struct hub_event *changed, int *deadlocks)
{
	hub_event_clear(changed);
	if (hub_event_wait(changed) != 0)
		hub_wait_failed_again(deadlocks,
			"deadlock: a pool's coroutines do not end though they are killed");
}

/* Waits until count tasks have ended, from task on; if the caller may not wait, kills them and
 * waits all the same, because they use its memory. Returns 0 or an errno. */
static int
tasks_wait(struct task *tasks, size_t count, struct hub_event *done)
{
	struct hub_timeout shield;
	int reason = 0, deadlocks = 0;

	for (size_t i = 0; i < count && reason == 0; i++) {
		while (tasks[i].coroutine != NULL && reason == 0) {
			hub_event_clear(done);
			if (hub_event_wait(done) != 0)
				reason = errno;
		}
	}
	if (reason == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (tasks[i].coroutine != NULL)
			coroutine_kill(tasks[i].coroutine);
	hub_shield_start(&shield);
	for (size_t i = 0; i < count; i++)
		while (tasks[i].coroutine != NULL)
			wait_out(done, &deadlocks);
	hub_shield_stop(&shield);
	return reason;
}

static bool
runs_in(const struct hub_pool *pool)
{
	struct hub_coroutine *each = hub_this->current;

	while (each != NULL && each->group != &pool->group)
		each = coroutine_driver(each);
	return each != NULL;
}

/* In the caller itself, whose own failure is kept apart. */
static int
apply_here(hub_fn *body, void *argument, void **result, struct hub_failure *failure)
{
	struct hub_coroutine *self = hub_this->current;
	struct hub_failure *own = self->failure;
	void *value;

	self->failure = NULL;
	value = body(argument);
	if (self->failure != NULL) {
		*failure = *self->failure;
		failure_free(self->failure);
		value = NULL;
	}
	self->failure = own;
	if (result != NULL)
		*result = value;
	return failed(failure->code);
}

/* Nothing has run. The results may lie where the arguments do, so not before that is known. */
static int
none(void **results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		results[i] = NULL;
	return -1;
}

int
hub_pool_map(struct hub_pool *pool, hub_fn *body, void *const *arguments, size_t count,
	void **results, struct hub_failure *failure)
{
	struct task *tasks;
	struct hub_event done = {0};
	size_t started = 0;
	int reason = 0;

	failure = failure_place(failure, &(struct hub_failure){0});
	if (hub_enter() == NULL)
		return none(results, count);
	if (runs_in(pool)) {
		for (size_t i = 0; i < count; i++) {
			struct hub_failure one = {0};

			if (apply_here(body, arguments[i], &results[i], &one) != 0 &&
				failure->code == 0)
				*failure = one;
		}
		errno = failure->code;
		return failure->code == 0 ? 0 : -1;
	}
	tasks = calloc(count != 0 ? count : 1, sizeof *tasks);
	if (tasks == NULL)
		return none(results, count);
	for (; started < count; started++) {
		tasks[started].done = &done;
		if (task_start(pool, body, arguments[started], &tasks[started]) != 0) {
			reason = errno;
			break;
		}
	}
	/* Where not all could be started, those that were are ended. */
	if (reason != 0)
		for (size_t i = 0; i < started; i++)
			if (tasks[i].coroutine != NULL)
				coroutine_kill(tasks[i].coroutine);
	{
		int interrupted = tasks_wait(tasks, started, &done);

		if (reason == 0)
			reason = interrupted;
	}
	for (size_t i = 0; i < count; i++) {
		results[i] = tasks[i].result;
		if (reason == 0 && failure->code == 0)
			*failure = tasks[i].failure;
	}
	free(tasks);
	if (reason == 0)
		reason = failure->code;
	return failed(reason);
}

int
hub_pool_apply(struct hub_pool *pool, hub_fn *body, void *argument, void **result,
	struct hub_failure *failure)
{
	void *value;
	int outcome;

	outcome = hub_pool_map(pool, body, &argument, 1, &value, failure);
	if (result != NULL)
		*result = value;
	return outcome;
}

/* ---- imap ---- */

struct hub_imap {
	struct hub_pool *pool;
	hub_fn *body;
	bool (*next)(void *input, void **argument);
	void *input;
	enum hub_imap_order order;
	struct hub_coroutine *feeder;
	struct hub_semaphore room; /* for tasks that run or lie untaken */
	struct hub_event changed;
	struct task *first; /* in the order in which results are taken */
	struct task **last;
	size_t running;
	bool is_fed;                /* no more tasks come */
	int error;                  /* why the feeder gave up, or 0 */
	struct hub_failure failure; /* of the input; code 0 for none */
};

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
	if (task_start(imap->pool, imap->body, argument, task) != 0) {
		free(task);
		return errno;
	}
	imap->running++;
	if (imap->order == HUB_IMAP_ORDERED)
		imap_append(imap, task);
	return 0;
}

/* The input has ended: by a failure, if it is a generator that failed, or called hub_fail, here. */
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
		return -1;
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

/* Tasks that run in the order of their ends are in no list; the pool knows them. */
static void
imap_kill(struct hub_imap *imap)
{
	for (struct hub_coroutine *child = imap->pool->group.first; child != NULL;
		child = child->sibling_next)
		for (struct hub_link *link = child->links; link != NULL; link = link->next)
			if (link->ended == task_ended &&
				CONTAINER_OF(link, struct task, link)->imap == imap)
				coroutine_kill(child);
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
		wait_out(&imap->changed, &deadlocks);
	hub_shield_stop(&shield);
	while (imap->first != NULL) {
		struct task *task = imap->first;

		imap->first = task->next;
		free(task);
	}
	free(imap);
}
