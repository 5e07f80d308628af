/* The parts of a queue that select uses: its waiters, and what a waiting putter brings. */
#ifndef HUBBUB_SYNC_QUEUE_PRIV_H
#define HUBBUB_SYNC_QUEUE_PRIV_H

#include "hub/sync/queue.h"
#include "hub/waiters_priv.h"

/* An item in the array, or with a putter that waits. */
struct queue_item {
	void *value;
	int64_t priority;
	uint64_t number; /* of the put: items of equal priority keep their order */
};

/* A putter that waits because the queue is full, with its item. A getter is a plain waiter. */
struct queue_putter {
	struct hub_waiter waiter;
	struct queue_item item;
};

/* Sets the putter's item, and takes the next number for it. Does not switch. */
void queue_putter_init(
	struct hub_queue *queue, struct queue_putter *putter, void *item, int64_t priority);

/* The list of waiting putters, or of waiting getters. */
struct hub_waiter **queue_waiters(struct hub_queue *queue, bool is_putter);

#endif
