/* A queue of putters and a queue of getters, of which at most one has waiters: a put or a get takes
 * the longest waiter of the other side, and waits only if there is none. The item travels in the
 * waiter, on the stack of the coroutine that waits. */
#include "hub/sync/channel.h"

#include <errno.h>

#include "hub/base/failed.h"
#include "hub/waiters_priv.h"

void
hub_channel_init(struct hub_channel *channel)
{
	*channel = (struct hub_channel){0};
}

/* Whether no putter and getter should have met: a select that waits to put and to get is both, and
 * cannot meet itself. No coroutine waits on a closed channel. */
static bool
channel_is_consistent(const struct hub_channel *channel)
{
	for (struct hub_waiter *putter = channel->putters; putter != NULL; putter = putter->next)
		for (struct hub_waiter *getter = channel->getters; getter != NULL;
			getter = getter->next)
			if (waiter_waits(putter) && waiter_waits(getter) &&
				putter->coroutine != getter->coroutine)
				return false;
	return !channel->is_closed || (channel->putters == NULL && channel->getters == NULL);
}

/* put_now and get_now return 0, EPIPE, or EAGAIN if no coroutine waits on the other side. */
static inline int
put_now(struct hub_channel *channel, void *item)
{
	struct hub_waiter *getter;

	DCHECK(channel_is_consistent(channel));
	if (channel->is_closed)
		return EPIPE;
	getter = waiters_meet(&channel->getters);
	if (getter == NULL)
		return EAGAIN;
	getter->item = item;
	return 0;
}

static inline int
get_now(struct hub_channel *channel, void **item)
{
	struct hub_waiter *putter;

	DCHECK(channel_is_consistent(channel));
	if (channel->is_closed)
		return EPIPE;
	putter = waiters_meet(&channel->putters);
	if (putter == NULL)
		return EAGAIN;
	*item = putter->item;
	return 0;
}

int
hub_channel_try_put(struct hub_channel *channel, void *item)
{
	return failed(put_now(channel, item));
}

int
hub_channel_put(struct hub_channel *channel, void *item)
{
	return hub_channel_put_for(channel, item, HUB_FOREVER);
}

int
hub_channel_put_for(struct hub_channel *channel, void *item, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "channel put", .on = channel, .deadline = HUB_FOREVER};
	struct hub_waiter own;
	int error;

	if (self == NULL)
		return hub_fail_in_turn();
	error = put_now(channel, item);
	if (error != EAGAIN)
		return failed(error);
	DCHECK(channel->getters == NULL);
	own.item = item;
	wait.deadline = clock_end_of(nanoseconds);
	return waiter_wait(&channel->putters, &own, self, &wait);
}

int
hub_channel_try_get(struct hub_channel *channel, void **item)
{
	return failed(get_now(channel, item));
}

int
hub_channel_get(struct hub_channel *channel, void **item)
{
	return hub_channel_get_for(channel, item, HUB_FOREVER);
}

int
hub_channel_get_for(struct hub_channel *channel, void **item, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "channel get", .on = channel, .deadline = HUB_FOREVER};
	struct hub_waiter own;
	int error;

	if (self == NULL)
		return hub_fail_in_turn();
	error = get_now(channel, item);
	if (error != EAGAIN)
		return failed(error);
	DCHECK(channel->putters == NULL);
	wait.deadline = clock_end_of(nanoseconds);
	if (waiter_wait(&channel->getters, &own, self, &wait) != 0)
		return -1;
	*item = own.item;
	return 0;
}

void
hub_channel_close(struct hub_channel *channel)
{
	DCHECK(channel_is_consistent(channel));
	channel->is_closed = true;
	waiters_wake_all(&channel->putters, EPIPE);
	waiters_wake_all(&channel->getters, EPIPE);
}
