/* Channel: a rendezvous between coroutines of one hub. A put returns when a get has taken the item,
 * which the channel never stores. */
#ifndef HUBBUB_SYNC_CHANNEL_H
#define HUBBUB_SYNC_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_waiter;

/* The fields are the library's; {0} is an open channel without waiters. */
struct hub_channel {
	struct hub_waiter *putters; /* coroutines that wait to put, or to get: never both */
	struct hub_waiter *getters;
	bool is_closed;
};

/* Initialises channel as open, without waiters. Switches: no. */
void hub_channel_init(struct hub_channel *channel);

/* Gives item to the getter that has waited longest; waits until there is one.
 * Switches: yes, unless a getter waits.  Ownership: item becomes the getter's, on success only.
 * Returns 0, or -1 with errno EPIPE (closed), ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_channel_put(struct hub_channel *channel, void *item);

/* As hub_channel_put, but waits for at most so many nanoseconds, then fails with ETIMEDOUT.
 * Switches: as hub_channel_put. */
int hub_channel_put_for(struct hub_channel *channel, void *item, int64_t nanoseconds);

/* Gives item to a getter, if one waits already. Switches: no.
 * Returns as hub_channel_put, with EAGAIN if no getter waits. */
int hub_channel_try_put(struct hub_channel *channel, void *item);

/* Takes the item of the putter that has waited longest; waits until there is one. A get that fails
 * has taken no item.
 * Switches: yes, unless a putter waits.
 * Returns 0 with *item set, or -1 with errno EPIPE (closed), ECANCELED, ETIMEDOUT, EDEADLK or
 * EPERM. */
int hub_channel_get(struct hub_channel *channel, void **item);

/* As hub_channel_get, but waits for at most so many nanoseconds, then fails with ETIMEDOUT.
 * Switches: as hub_channel_get. */
int hub_channel_get_for(struct hub_channel *channel, void **item, int64_t nanoseconds);

/* Takes the item of a putter, if one waits already. Switches: no.
 * Returns as hub_channel_get, with EAGAIN if no putter waits. */
int hub_channel_try_get(struct hub_channel *channel, void **item);

/* Closes the channel: puts and gets, those that wait and later ones, fail with EPIPE. Switches:
 * no. */
void hub_channel_close(struct hub_channel *channel);

HUBBUB_API_END

#endif
