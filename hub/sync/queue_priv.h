/* What select needs of a queue. */
#ifndef HUBBUB_SYNC_QUEUE_PRIV_H
#define HUBBUB_SYNC_QUEUE_PRIV_H

#include "hub/sync/queue.h"
#include "hub/waiters_priv.h"

struct queue_item {
	void *value;
	int64_t priority;
	uint64_t number; /* of the put, so that equals keep their order */
};

/* One that waits behind a full queue, with what it brings. A getter is a plain waiter. */
struct queue_putter {
	struct hub_waiter waiter;
	struct queue_item item;
};

void queue_putter_init(
	struct hub_queue *queue, struct queue_putter *putter, void *item, int64_t priority);

/* Where those wait who put, or who get. */
struct hub_waiter **queue_waiters(struct hub_queue *queue, bool is_putter);

#endif
