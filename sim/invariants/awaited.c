/* Each kind of object is known by the word that its waits have for dumps. */
#include "sim/invariants/awaited_priv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hub/coroutine.h"
#include "hub/record_priv.h"
#include "hub/sync/channel.h"
#include "hub/sync/event.h"
#include "hub/sync/group.h"
#include "hub/sync/lock.h"
#include "hub/sync/queue_priv.h"
#include "hub/sync/result.h"
#include "hub/sync/semaphore.h"
#include "hub/waiters_priv.h"
#include "sim/world/world_priv.h"

/* What an object is, and whether its state lets a waiter go. */
struct awaited {
	const struct hub_waiter *first; /* in the queue in which the coroutine must be */
	bool has_queue;
	bool has_come;
};

struct kind {
	const char *word;
	struct awaited (*look)(const struct hub_coroutine *self, const void *object);
};

/* ---- kinds of objects ---- */

/* Whether another than the coroutine is in the queue: a select does not meet itself. */
static bool
has_other(const struct hub_waiter *first, const struct hub_coroutine *self)
{
	while (first != NULL && first->coroutine == self)
		first = first->next;
	return first != NULL;
}

static struct awaited
look_at_event(const struct hub_coroutine *self, const void *object)
{
	const struct hub_event *event = object;

	(void)self;
	return (struct awaited){event->first, true, event->is_set};
}

static struct awaited
look_at_semaphore(const struct hub_coroutine *self, const void *object)
{
	const struct hub_semaphore *semaphore = object;

	(void)self;
	return (struct awaited){semaphore->first, true, semaphore->count > 0};
}

static struct awaited
look_at_lock(const struct hub_coroutine *self, const void *object)
{
	const struct hub_lock *lock = object;

	(void)self;
	return (struct awaited){lock->first, true, lock->owner == NULL};
}

static struct awaited
look_at_condition(const struct hub_coroutine *self, const void *object)
{
	const struct hub_condition *condition = object;

	(void)self;
	return (struct awaited){condition->first, true, false};
}

static struct awaited
look_at_result(const struct hub_coroutine *self, const void *object)
{
	const struct hub_result *result = object;

	(void)self;
	return (struct awaited){result->first, true, result->is_set};
}

static struct awaited
look_at_channel_put(const struct hub_coroutine *self, const void *object)
{
	const struct hub_channel *channel = object;

	return (struct awaited){
		channel->putters, true, channel->is_closed || has_other(channel->getters, self)};
}

static struct awaited
look_at_channel_get(const struct hub_coroutine *self, const void *object)
{
	const struct hub_channel *channel = object;

	return (struct awaited){
		channel->getters, true, channel->is_closed || has_other(channel->putters, self)};
}

static struct awaited
look_at_queue_put(const struct hub_coroutine *self, const void *object)
{
	struct hub_queue *queue = (struct hub_queue *)(uintptr_t)object;

	return (struct awaited){*queue_waiters(queue, true), true,
		hub_queue_size(queue) == 0 || has_other(*queue_waiters(queue, false), self)};
}

static struct awaited
look_at_queue_get(const struct hub_coroutine *self, const void *object)
{
	struct hub_queue *queue = (struct hub_queue *)(uintptr_t)object;

	void *item;

	(void)self;
	return (struct awaited){*queue_waiters(queue, false), true,
		hub_queue_peek(queue, &item) == 0 || errno == EPIPE};
}

static struct awaited
look_at_coroutine(const struct hub_coroutine *self, const void *object)
{
	const struct hub_coroutine *coroutine = object;

	(void)self;
	return (struct awaited){.has_come = coroutine->state == COROUTINE_DONE};
}

static struct awaited
look_at_group(const struct hub_coroutine *self, const void *object)
{
	const struct hub_group *group = object;

	(void)self;
	return (struct awaited){group->waiters, true, group->count == 0};
}

static const struct kind kinds[] = {
	{"event", look_at_event},
	{"semaphore", look_at_semaphore},
	{"lock", look_at_lock},
	{"condition", look_at_condition},
	{"result", look_at_result},
	{"channel put", look_at_channel_put},
	{"channel get", look_at_channel_get},
	{"queue put", look_at_queue_put},
	{"queue get", look_at_queue_get},
	{"join", look_at_coroutine},
	{"nursery", look_at_group},
	{"pool", look_at_group},
};

#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- looking ---- */

/* Whether each waiter says where its neighbours are. */
static bool
is_linked(const struct hub_waiter *first)
{
	for (const struct hub_waiter *each = first; each != NULL; each = each->next)
		if (!each->is_queued || !waiter_is_among(first, each))
			return false;
	return true;
}

static bool
waits_there(const struct hub_waiter *waiter)
{
	return waiter->coroutine->state == COROUTINE_WAITING && waiter_waits(waiter);
}

void
awaited_look_at_queue(const struct hub_waiter *first, const char *what)
{
	if (!is_linked(first)) {
		world_fail("the queue of those that wait for %s is torn", what);
		return;
	}
	for (const struct hub_waiter *each = first; each != NULL; each = each->next)
		if (!waits_there(each))
			world_fail("%s is among those that wait for %s, and does not wait there",
				name_of(each->coroutine), what);
}

static bool
is_in(const struct hub_waiter *first, const struct hub_coroutine *coroutine)
{
	while (first != NULL && first->coroutine != coroutine)
		first = first->next;
	return first != NULL;
}

void
awaited_look_at(const struct hub_coroutine *coroutine, const char *word, const void *object)
{
	size_t i = 0;
	struct awaited awaited;

	while (i < KINDS && (*word != *kinds[i].word || strcmp(word, kinds[i].word) != 0))
		i++;
	if (i == KINDS)
		return;
	awaited = kinds[i].look(coroutine, object);
	awaited_look_at_queue(awaited.first, word);
	if (awaited.has_come)
		world_fail("%s waits for %s, which would let it go", name_of(coroutine), word);
	if (awaited.has_queue && !is_in(awaited.first, coroutine))
		world_fail("%s waits for %s, and is not among those that wait there",
			name_of(coroutine), word);
}
