/* Every wait that is given its own time: it ends then, whatever scopes are around it, and what it
 * waited for is whole. */
#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"

#define TIME (5 * HUB_MILLISECOND)

static struct {
	struct hub_event event;
	struct hub_semaphore semaphore;
	struct hub_lock lock;
	struct hub_channel channel;
	struct hub_queue *empty, *full;
	struct hub_result result;
	struct hub_coroutine *sleeper;
} never;

static int
call_event(int64_t time)
{
	return hub_event_wait_for(&never.event, time);
}

static int
call_semaphore(int64_t time)
{
	return hub_semaphore_acquire_for(&never.semaphore, time);
}

static int
call_lock(int64_t time)
{
	return hub_lock_acquire_for(&never.lock, time);
}

static int
call_channel_put(int64_t time)
{
	return hub_channel_put_for(&never.channel, &never, time);
}

static int
call_channel_get(int64_t time)
{
	void *item;

	return hub_channel_get_for(&never.channel, &item, time);
}

static int
call_queue_put(int64_t time)
{
	return hub_queue_put_for(never.full, &never, time);
}

static int
call_queue_get(int64_t time)
{
	void *item;

	return hub_queue_get_for(never.empty, &item, time);
}

static int
call_result(int64_t time)
{
	return hub_result_get_for(&never.result, NULL, NULL, time);
}

static int
call_join(int64_t time)
{
	return hub_join_for(never.sleeper, NULL, time);
}

static const struct {
	const char *name;
	int (*call)(int64_t time);
} calls[] = {
	{"event", call_event},
	{"semaphore", call_semaphore},
	{"lock", call_lock},
	{"channel put", call_channel_put},
	{"channel get", call_channel_get},
	{"queue put", call_queue_put},
	{"queue get", call_queue_get},
	{"result", call_result},
	{"join", call_join},
};

enum { CALLS = sizeof calls / sizeof calls[0] };

struct record {
	int results[CALLS], errors[CALLS], at_once[CALLS], in_scope[CALLS], killed[CALLS];
	int64_t took[CALLS];
	bool has_expired[CALLS];
	int granted[CALLS]; /* what the others waited for in vain */
	int current;
};

static void *
hold_until_killed(void *argument)
{
	hub_lock_acquire(&never.lock);
	hub_sleep(HUB_FOREVER);
	hub_lock_release(&never.lock);
	return argument;
}

static void *
killed_call(void *argument)
{
	struct record *record = argument;

	if (calls[record->current].call(HUB_FOREVER) != 0)
		record->killed[record->current] = errno;
	return NULL;
}

static void
try_call(struct record *record, int i)
{
	int64_t began = hub_now();
	struct hub_timeout scope;
	struct hub_coroutine *victim;

	hub_timeout_start(&scope, 60 * HUB_SECOND);
	record->results[i] = calls[i].call(TIME);
	record->errors[i] = errno;
	record->took[i] = hub_now() - began;
	record->has_expired[i] = hub_timeout_stop(&scope);
	record->at_once[i] = calls[i].call(-1) != 0 ? errno : 0;
	hub_timeout_start(&scope, HUB_MILLISECOND);
	record->in_scope[i] = calls[i].call(60 * HUB_SECOND) != 0 && hub_timeout_stop(&scope);
	record->current = i;
	victim = hub_spawn(killed_call, record);
	until_it_waits(victim);
	hub_kill(victim);
	hub_join(victim, NULL);
}

/* Whatever it was, it can be had now. */
static void
grant(struct record *record)
{
	void *item;

	hub_event_set(&never.event);
	hub_semaphore_release(&never.semaphore);
	hub_kill(never.sleeper);
	hub_queue_put(never.empty, &never);
	hub_queue_get(never.full, &item);
	hub_result_set(&never.result, &never);
	for (int i = 0; i < CALLS; i++)
		record->granted[i] = calls[i].call(10 * HUB_SECOND);
}

static void *
answer_channel(void *argument)
{
	void *item;

	hub_channel_get(&never.channel, &item);
	hub_channel_put(&never.channel, item);
	return argument;
}

static void *
every_body(void *argument)
{
	memset(&never, 0, sizeof never);
	hub_semaphore_init(&never.semaphore, 0);
	never.empty = hub_queue_new(HUB_QUEUE_FIFO, 0);
	never.full = hub_queue_new(HUB_QUEUE_FIFO, 1);
	hub_queue_put(never.full, NULL);
	never.sleeper = hub_spawn(hold_until_killed, NULL);
	hub_sleep(0);
	for (int i = 0; i < CALLS; i++)
		try_call(argument, i);
	hub_go(answer_channel, NULL);
	grant(argument);
	hub_lock_release(&never.lock);
	hub_queue_free(never.empty);
	hub_queue_free(never.full);
	return NULL;
}

Test(timed, ends_every_wait_and_loses_nothing)
{
	static struct record record;

	in_hub(every_body, &record);
	for (int i = 0; i < CALLS; i++) {
		cr_expect_eq(record.results[i], -1, "%s", calls[i].name);
		cr_expect_eq(record.errors[i], ETIMEDOUT, "%s: %s", calls[i].name,
			strerror(record.errors[i]));
		cr_expect_geq(record.took[i], TIME, "%s", calls[i].name);
		cr_expect_not(
			record.has_expired[i], "%s: the scope says it expired", calls[i].name);
		cr_expect_eq(record.at_once[i], ETIMEDOUT, "%s", calls[i].name);
		cr_expect(record.in_scope[i], "%s: the scope is lost", calls[i].name);
		cr_expect_eq(record.killed[i], ECANCELED, "%s", calls[i].name);
		cr_expect_eq(record.granted[i], 0, "%s", calls[i].name);
	}
}
