/* What coroutines wait for that threads share. */
#include <hubbub/hub.h>

#include "tests/unit/hub/blocking.h"

/* Things that never happen. */
static struct {
	struct hub_shared_semaphore *semaphore;
	struct hub_shared_event *event;
	struct hub_shared_queue *empty, *full;
} never;

static int
call_shared_semaphore(void)
{
	return hub_shared_semaphore_acquire(never.semaphore);
}

static int
call_shared_event(void)
{
	return hub_shared_event_wait(never.event);
}

static int
call_shared_queue_get(void)
{
	void *item;

	return hub_shared_queue_get(never.empty, &item);
}

static int
call_shared_queue_put(void)
{
	return hub_shared_queue_put(never.full, NULL);
}

const struct blocking_call blocking_shared[] = {
	{"hub_shared_semaphore_acquire", call_shared_semaphore},
	{"hub_shared_event_wait", call_shared_event},
	{"hub_shared_queue_get", call_shared_queue_get},
	{"hub_shared_queue_put", call_shared_queue_put},
	{0},
};

void
blocking_shared_begin(void)
{
	never.semaphore = hub_shared_semaphore_new(0);
	never.event = hub_shared_event_new();
	never.empty = hub_shared_queue_new(0);
	never.full = hub_shared_queue_new(1);
	hub_shared_queue_put(never.full, NULL);
}

void
blocking_shared_end(void)
{
	void *item;

	hub_shared_queue_try_get(never.full, &item);
	hub_shared_queue_free(never.full);
	hub_shared_queue_free(never.empty);
	hub_shared_event_free(never.event);
	hub_shared_semaphore_free(never.semaphore);
}
