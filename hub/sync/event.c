#include "hub/sync/event.h"

#include "hub/scheduler_priv.h"

void
hub_event_init(struct hub_event *event)
{
	*event = (struct hub_event){0};
}

static void
event_append(struct hub_event *event, struct hub_waiter *waiter)
{
	if (event->first == NULL)
		event->first = waiter;
	else
		event->last->next = waiter;
	event->last = waiter;
}

static void
event_remove(struct hub_event *event, struct hub_waiter *waiter)
{
	struct hub_waiter **link = &event->first, *previous = NULL;

	if (!waiter->is_queued)
		return;
	while (*link != waiter) {
		previous = *link;
		link = &previous->next;
	}
	*link = waiter->next;
	if (event->last == waiter)
		event->last = previous;
}

void
hub_event_set(struct hub_event *event)
{
	struct hub_waiter *waiter = event->first;

	event->is_set = true;
	event->first = event->last = NULL;
	while (waiter != NULL) {
		struct hub_waiter *next = waiter->next;

		waiter->is_queued = false;
		hub_wake(waiter->coroutine, waiter->epoch, 0);
		waiter = next;
	}
}

void
hub_event_clear(struct hub_event *event)
{
	event->is_set = false;
}

int
hub_event_wait(struct hub_event *event)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {"event", event, HUB_FOREVER, false};
	struct hub_waiter waiter;
	int reason;

	if (self == NULL)
		return -1;
	if (event->is_set)
		return 0;
	hub_waiter_init(&waiter, self);
	event_append(event, &waiter);
	reason = hub_suspend(&wait);
	if (reason == 0)
		return 0;
	event_remove(event, &waiter);
	errno = reason;
	return -1;
}
