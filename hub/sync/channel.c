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

/* The first on the other side that still waits; NULL if nobody does. */
static struct exchanger *
meet(struct hub_waiter **others)
{
	struct hub_waiter *waiter = waiters_meet(others);

	return waiter != NULL ? CONTAINER_OF(waiter, struct exchanger, waiter) : NULL;
}

int
hub_channel_put(struct hub_channel *channel, void *item)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {"channel put", channel, HUB_FOREVER, false, false};
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
	return waiter_wait(&channel->putters, &own.waiter, self, &wait);
}

int
hub_channel_get(struct hub_channel *channel, void **item)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {"channel get", channel, HUB_FOREVER, false, false};
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
	if (waiter_wait(&channel->getters, &own.waiter, self, &wait) != 0)
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
