/* Channel: a rendezvous between coroutines of one hub. A put returns when a get has taken the item,
 * which goes from hand to hand and is never stored. */
#ifndef HUBBUB_SYNC_CHANNEL_H
#define HUBBUB_SYNC_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_waiter;

/* The fields are the library's; {0} is an open channel at which nobody waits. */
struct hub_channel {
	struct hub_waiter *putters; /* at most one of the two has waiters */
	struct hub_waiter *getters;
	bool is_closed;
};

/* Makes channel an open one at which nobody waits. Switches: no. */
void hub_channel_init(struct hub_channel *channel);

/* Gives item to a getter; waits until there is one.
 * Switches: yes, unless a getter waits.  Ownership: the getter's, on success only.
 * Returns 0, or -1 with errno EPIPE (closed), ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_channel_put(struct hub_channel *channel, void *item);

/* As hub_channel_put, waiting for at most that many nanoseconds, with ETIMEDOUT then. Switches: as
 * hub_channel_put. */
int hub_channel_put_for(struct hub_channel *channel, void *item, int64_t nanoseconds);

/* Gives item to a getter that waits now. Switches: no.
 * Returns as put, with EAGAIN if none waits. */
int hub_channel_try_put(struct hub_channel *channel, void *item);

/* Takes an item from the putter that has waited longest; waits until there is one. One that is
 * timed out or killed has taken none.
 * Switches: yes, unless a putter waits.
 * Returns 0 with *item set, or -1 with errno EPIPE (closed), ECANCELED, ETIMEDOUT, EDEADLK,
 * EPERM. */
int hub_channel_get(struct hub_channel *channel, void **item);

/* As hub_channel_get, waiting for at most that many nanoseconds, with ETIMEDOUT then. Switches: as
 * hub_channel_get. */
int hub_channel_get_for(struct hub_channel *channel, void **item, int64_t nanoseconds);

/* Takes an item from a putter that waits now. Switches: no.
 * Returns as get, with EAGAIN if none waits. */
int hub_channel_try_get(struct hub_channel *channel, void **item);

/* Closes the channel: all who wait, and all who come, get EPIPE. Switches: no. */
void hub_channel_close(struct hub_channel *channel);

HUBBUB_API_END

#endif
