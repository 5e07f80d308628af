/* What one thread's coroutines wait for each other by. */
#include <errno.h>
#include <string.h>

#include <hubbub/hub.h>

#include "tests/unit/hub/blocking.h"

/* Things that never happen. */
static struct {
	struct hub_event event;
	struct hub_semaphore semaphore;
	struct hub_lock lock;
	struct hub_condition condition;
	struct hub_channel channel;
	struct hub_queue *empty, *full;
	struct hub_result result;
	struct hub_pool pool;
	struct hub_coroutine *sleeper;
	struct hub_coroutine *stubborn; /* which a kill does not end, but the event of the end */
	struct hub_event end;
} never;

static void *
sleep_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
lock_for_ever(void *argument)
{
	hub_lock_acquire(&never.lock);
	hub_sleep(HUB_FOREVER);
	hub_lock_release(&never.lock);
	return argument;
}

static void *
heed_no_kill(void *argument)
{
	struct hub_timeout shield;

	hub_shield_start(&shield);
	hub_event_wait(&never.end);
	hub_shield_stop(&shield);
	return argument;
}

static bool
give_one(void *input, void **argument)
{
	*argument = input;
	return true;
}

static int
call_sleep(void)
{
	return hub_sleep(HUB_FOREVER);
}

static int
call_idle(void)
{
	/* Somebody is always runnable beside it. */
	return hub_idle();
}

static int
call_event(void)
{
	return hub_event_wait(&never.event);
}

static int
call_event_for(void)
{
	return hub_event_wait_for(&never.event, HUB_FOREVER);
}

static int
call_semaphore(void)
{
	return hub_semaphore_acquire(&never.semaphore);
}

static int
call_semaphore_for(void)
{
	return hub_semaphore_acquire_for(&never.semaphore, HUB_FOREVER);
}

static int
call_lock(void)
{
	return hub_lock_acquire(&never.lock);
}

static int
call_lock_for(void)
{
	return hub_lock_acquire_for(&never.lock, HUB_FOREVER);
}

static int
call_condition(void)
{
	static struct hub_lock own;
	int result;

	if (hub_lock_acquire(&own) != 0)
		return -1;
	result = hub_condition_wait(&never.condition, &own);
	{
		int error = errno;

		hub_lock_release(&own);
		errno = error;
	}
	return result;
}

static int
call_channel_put(void)
{
	return hub_channel_put(&never.channel, NULL);
}

static int
call_channel_put_for(void)
{
	return hub_channel_put_for(&never.channel, NULL, HUB_FOREVER);
}

static int
call_channel_get(void)
{
	void *item;

	return hub_channel_get(&never.channel, &item);
}

static int
call_channel_get_for(void)
{
	void *item;

	return hub_channel_get_for(&never.channel, &item, HUB_FOREVER);
}

static int
call_queue_put(void)
{
	return hub_queue_put(never.full, NULL);
}

static int
call_queue_put_for(void)
{
	return hub_queue_put_for(never.full, NULL, HUB_FOREVER);
}

static int
call_queue_put_priority(void)
{
	return hub_queue_put_priority(never.full, NULL, 0);
}

static int
call_queue_get(void)
{
	void *item;

	return hub_queue_get(never.empty, &item);
}

static int
call_queue_get_for(void)
{
	void *item;

	return hub_queue_get_for(never.empty, &item, HUB_FOREVER);
}

static int
call_queue_join(void)
{
	return hub_queue_join(never.full);
}

static int
call_result(void)
{
	return hub_result_get(&never.result, NULL, NULL);
}

static int
call_result_for(void)
{
	return hub_result_get_for(&never.result, NULL, NULL, HUB_FOREVER);
}

static int
call_join(void)
{
	return hub_join(never.sleeper, NULL);
}

static int
call_join_for(void)
{
	return hub_join_for(never.sleeper, NULL, HUB_FOREVER);
}

static int
call_get(void)
{
	struct hub_failure failure;

	return hub_get(never.sleeper, NULL, &failure);
}

static int
call_wait_ended(void)
{
	size_t ended;

	return hub_wait_ended(&never.sleeper, 1, 1, 0, &ended);
}

static int
call_end_all(void)
{
	size_t ended;

	return hub_end_all(&never.stubborn, 1, HUB_FOREVER, &ended);
}

static int
call_pool_spawn(void)
{
	return hub_pool_spawn(&never.pool, sleep_for_ever, NULL) != NULL ? 0 : -1;
}

static int
call_pool_wait(void)
{
	return hub_pool_wait(&never.pool);
}

static int
call_pool_join(void)
{
	return hub_pool_join(&never.pool);
}

static int
call_pool_apply(void)
{
	struct hub_pool own;
	struct hub_failure failure;

	hub_pool_init(&own, 1);
	return hub_pool_apply(&own, sleep_for_ever, NULL, NULL, &failure);
}

static int
call_pool_map(void)
{
	struct hub_pool own;
	struct hub_failure failure;
	void *values[] = {NULL, NULL};

	hub_pool_init(&own, 1);
	return hub_pool_map(&own, sleep_for_ever, values, 2, values, &failure);
}

static int
call_imap(void)
{
	struct hub_pool own;
	struct hub_failure failure;
	struct hub_imap *imap;
	void *result;
	int outcome, error;

	hub_pool_init(&own, 2);
	imap = hub_imap_new(&own, sleep_for_ever, give_one, NULL, 2, HUB_IMAP_ORDERED);
	outcome = hub_imap_next(imap, &result, &failure);
	error = errno;
	hub_imap_free(imap);
	errno = error;
	return outcome;
}

static int
call_nursery(void)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleep_for_ever, NULL);
	return hub_nursery_close(&nursery);
}

const struct blocking_call blocking_coroutines[] = {
	{"hub_sleep", call_sleep},
	{"hub_idle", call_idle},
	{"hub_event_wait", call_event},
	{"hub_event_wait_for", call_event_for},
	{"hub_semaphore_acquire", call_semaphore},
	{"hub_semaphore_acquire_for", call_semaphore_for},
	{"hub_lock_acquire", call_lock},
	{"hub_lock_acquire_for", call_lock_for},
	{"hub_condition_wait", call_condition},
	{"hub_channel_put", call_channel_put},
	{"hub_channel_put_for", call_channel_put_for},
	{"hub_channel_get", call_channel_get},
	{"hub_channel_get_for", call_channel_get_for},
	{"hub_queue_put", call_queue_put},
	{"hub_queue_put_for", call_queue_put_for},
	{"hub_queue_put_priority", call_queue_put_priority},
	{"hub_queue_get", call_queue_get},
	{"hub_queue_get_for", call_queue_get_for},
	{"hub_queue_join", call_queue_join},
	{"hub_result_get", call_result},
	{"hub_result_get_for", call_result_for},
	{"hub_join", call_join},
	{"hub_join_for", call_join_for},
	{"hub_get", call_get},
	{"hub_wait_ended", call_wait_ended},
	{"hub_end_all", call_end_all},
	{"hub_pool_spawn", call_pool_spawn},
	{"hub_pool_wait", call_pool_wait},
	{"hub_pool_join", call_pool_join},
	{"hub_pool_apply", call_pool_apply},
	{"hub_pool_map", call_pool_map},
	{"hub_imap_next", call_imap},
	{"hub_nursery_close", call_nursery},
	{0},
};

void
blocking_coroutines_begin(void)
{
	memset(&never, 0, sizeof never);
	hub_semaphore_init(&never.semaphore, 0);
	never.empty = hub_queue_new(HUB_QUEUE_FIFO, 0);
	never.full = hub_queue_new(HUB_QUEUE_FIFO, 1);
	hub_queue_put(never.full, NULL);
	hub_detach(hub_spawn(lock_for_ever, NULL));
	hub_sleep(0);
	hub_pool_init(&never.pool, 1);
	hub_pool_spawn(&never.pool, sleep_for_ever, NULL);
	never.sleeper = hub_spawn(sleep_for_ever, NULL);
	never.stubborn = hub_spawn(heed_no_kill, NULL);
	hub_sleep(0);
}

void
blocking_coroutines_end(void)
{
	hub_event_set(&never.end);
	hub_queue_free(never.empty);
	hub_queue_free(never.full);
}
