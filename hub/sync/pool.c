/* A group and a semaphore of slots: a child takes a slot before it is spawned, and its end releases
 * it. apply and map run tasks, which are children whose results the caller waits for; tasks lie in
 * the caller's memory, so the caller does not return while one lives. */
#include "hub/sync/pool_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/coroutine_priv.h"
#include "hub/failure_priv.h"
#include "hub/link.h"
#include "hub/sync/event.h"
#include "hub/sync/group_priv.h"
#include "hub/timeout.h"

/* Whether free slots and children are together at most the pool's size: less while a slot is handed
 * to a coroutine that waits for it. */
static bool
pool_is_consistent(const struct hub_pool *pool)
{
	return pool->group.count <= pool->slots.limit - pool->slots.count;
}

static void
child_ended(struct hub_group *group, struct hub_coroutine *child)
{
	struct hub_pool *pool = CONTAINER_OF(group, struct hub_pool, group);
	int released = hub_semaphore_release(&pool->slots);

	(void)child;
	DCHECK(released == 0 && pool_is_consistent(pool));
}

void
hub_pool_init(struct hub_pool *pool, unsigned size)
{
	group_init(&pool->group, child_ended);
	hub_semaphore_init_bounded(&pool->slots, size != 0 ? size : UINT_MAX);
}

/* Spawns a child for a slot that the caller has taken; releases the slot on failure. */
static struct hub_coroutine *
spawn(struct hub_pool *pool, hub_fn *body, void *argument, const void *spawned_at)
{
	struct hub_coroutine *child = group_spawn(&pool->group, body, argument, spawned_at);
	int error = errno;

	if (child != NULL)
		return child;
	hub_semaphore_release(&pool->slots);
	DCHECK(pool_is_consistent(pool));
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
		return hub_fail_in_turn();
	reason = group_wait(&pool->group, "pool", false);
	return failed(reason);
}

/* ---- tasks: children whose results are waited for ---- */

static void
task_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct task *task = CONTAINER_OF(link, struct task, link);

	DCHECK(task->coroutine == coroutine && !task->is_done);
	task->coroutine = NULL;
	task->result = coroutine->result;
	task->is_done = true;
	/* The task's waiter returns the failure to its caller, so it is not reported besides. */
	if (coroutine->failure != NULL) {
		task->failure = *coroutine->failure;
		coroutine->is_told = true;
	} else if (coroutine->is_killed && coroutine->result == NULL) {
		task->failure = (struct hub_failure){ECANCELED, "killed"};
	}
	if (task->ended != NULL)
		task->ended(task);
	hub_event_set(task->done);
}

int
task_start(struct hub_pool *pool, hub_fn *body, void *argument, struct task *task)
{
	task->coroutine = hub_pool_spawn(pool, body, argument);
	if (task->coroutine == NULL)
		return -1;
	task->link.ended = task_ended;
	hub_link(task->coroutine, &task->link);
	return 0;
}

struct task *
task_of(struct hub_link *link)
{
	return link->ended == task_ended ? CONTAINER_OF(link, struct task, link) : NULL;
}

void
task_wait_out(struct hub_event *changed, int *deadlocks)
{
	hub_event_clear(changed);
	if (hub_event_wait(changed) != 0)
		hub_wait_failed_again(deadlocks,
			"deadlock: a pool's coroutines do not end though they are killed");
}

/* Whether no coroutine uses the tasks any more. */
static bool
tasks_are_over(const struct task *tasks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tasks[i].coroutine != NULL || !tasks[i].is_done)
			return false;
	return true;
}

/* Waits until count tasks have ended. If the wait is cut short, kills the tasks and waits until
 * they have ended, because they use the caller's memory. Returns 0, or the errno that cut the wait
 * short. Switches. */
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
			task_wait_out(done, &deadlocks);
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

/* Runs body in the calling coroutine, whose own failure, if it has one, is set aside meanwhile. */
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

/* No body has run: sets all results to NULL. Not earlier, since results may be the array of the
 * arguments. */
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
	if (hub_enter() == NULL) {
		hub_fail_in_turn();
		return none(results, count);
	}
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
	/* If not all tasks could be started, kill those that were. */
	if (reason != 0)
		for (size_t i = 0; i < started; i++)
			if (tasks[i].coroutine != NULL)
				coroutine_kill(tasks[i].coroutine);
	{
		int interrupted = tasks_wait(tasks, started, &done);

		if (reason == 0)
			reason = interrupted;
	}
	DCHECK(tasks_are_over(tasks, started));
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
