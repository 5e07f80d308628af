#include "hub/sync/channel.h"

#include <errno.h>

#include "hub/waiters_priv.h"

void
hub_channel_init(struct hub_channel *channel)
{
	*channel = (struct hub_channel){0};
}

int
hub_channel_try_put(struct hub_channel *channel, void *item)
{
	struct hub_waiter *getter = NULL;

	if (!channel->is_closed)
		getter = waiters_meet(&channel->getters);
	if (getter == NULL) {
		errno = channel->is_closed ? EPIPE : EAGAIN;
		return -1;
	}
	getter->item = item;
	return 0;
}

int
hub_channel_put(struct hub_channel *channel, void *item)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {"channel put", channel, HUB_FOREVER, false, false};
	struct hub_waiter own;

	if (self == NULL)
		return -1;
	if (hub_channel_try_put(channel, item) == 0)
		return 0;
	if (errno != EAGAIN)
		return -1;
	own.item = item;
	return waiter_wait(&channel->putters, &own, self, &wait);
}

int
hub_channel_try_get(struct hub_channel *channel, void **item)
{
	struct hub_waiter *putter = NULL;

	if (!channel->is_closed)
		putter = waiters_meet(&channel->putters);
	if (putter == NULL) {
		errno = channel->is_closed ? EPIPE : EAGAIN;
		return -1;
	}
	*item = putter->item;
	return 0;
}

int
hub_channel_get(struct hub_channel *channel, void **item)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {"channel get", channel, HUB_FOREVER, false, false};
	struct hub_waiter own;

	if (self == NULL)
		return -1;
	if (hub_channel_try_get(channel, item) == 0)
		return 0;
	if (errno != EAGAIN || waiter_wait(&channel->getters, &own, self, &wait) != 0)
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
