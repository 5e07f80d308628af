/* A flag and a queue of waiters. hub_event_set takes all waiters out of the queue at once, so
 * clearing the event afterwards does not affect them. */
#include "hub/sync/event.h"

#include "hub/waiters_priv.h"

void
hub_event_init(struct hub_event *event)
{
	*event = (struct hub_event){0};
}

/* Whether no coroutine waits for an event that is set. */
static bool
event_is_consistent(const struct hub_event *event)
{
	return !event->is_set || event->first == NULL;
}

void
hub_event_set(struct hub_event *event)
{
	DCHECK(event_is_consistent(event));
	event->is_set = true;
	waiters_wake_all(&event->first, 0);
}

void
hub_event_clear(struct hub_event *event)
{
	DCHECK(event_is_consistent(event));
	event->is_set = false;
}

bool
hub_event_is_set(const struct hub_event *event)
{
	return event->is_set;
}

int
hub_event_wait(struct hub_event *event)
{
	return hub_event_wait_for(event, HUB_FOREVER);
}

int
hub_event_wait_for(struct hub_event *event, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "event", .on = event, .deadline = HUB_FOREVER};
	struct hub_waiter waiter;

	if (self == NULL)
		return hub_fail_in_turn();
	if (event->is_set)
		return 0;
	wait.deadline = clock_end_of(nanoseconds);
	return waiter_wait(&event->first, &waiter, self, &wait);
}
