#include "hub/sync/channel.h"

#include <errno.h>

#include "hub/base/list.h"
#include "hub/waiters_priv.h"

/* A putter with what it gives, or a getter with room for what it gets. */
struct exchanger {
	struct hub_waiter waiter;
	void *item;
};

void
hub_channel_init(struct hub_channel *channel)
{
	*channel = (struct hub_channel){0};
}

/* Meets the first on the other side that still waits; NULL if nobody does. */
static struct exchanger *
meet(struct hub_waiter **others)
{
	while (*others != NULL) {
		struct exchanger *other = CONTAINER_OF(*others, struct exchanger, waiter);

		if (waiter_wake_first(others, 0))
			return other;
	}
	return NULL;
}

static int
channel_wait(struct hub_channel *channel, struct hub_waiter **side, struct exchanger *own,
	struct hub_coroutine *self, const char *what)
{
	struct wait wait = {what, channel, HUB_FOREVER, false, false};
	int reason;

	waiter_enter(side, &own->waiter, self);
	reason = hub_suspend(&wait);
	if (reason == 0)
		return 0;
	waiter_leave(side, &own->waiter);
	errno = reason;
	return -1;
}

int
hub_channel_put(struct hub_channel *channel, void *item)
{
	struct hub_coroutine *self = hub_enter();
	struct exchanger own, *getter;

	if (self == NULL)
		return -1;
	if (channel->is_closed) {
		errno = EPIPE;
		return -1;
	}
	getter = meet(&channel->getters);
	if (getter != NULL) {
		getter->item = item;
		return 0;
	}
	own.item = item;
	return channel_wait(channel, &channel->putters, &own, self, "channel put");
}

int
hub_channel_get(struct hub_channel *channel, void **item)
{
	struct hub_coroutine *self = hub_enter();
	struct exchanger own, *putter;

	if (self == NULL)
		return -1;
	if (channel->is_closed) {
		errno = EPIPE;
		return -1;
	}
	putter = meet(&channel->putters);
	if (putter != NULL) {
		*item = putter->item;
		return 0;
	}
	if (channel_wait(channel, &channel->getters, &own, self, "channel get") != 0)
		return -1;
	*item = own.item;
	return 0;
}

void
hub_channel_close(struct hub_channel *channel)
{
	channel->is_closed = true;
	waiters_wake_all(&channel->putters, EPIPE);
	waiters_wake_all(&channel->getters, EPIPE);
}
