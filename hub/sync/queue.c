/* Items lie in an array: a ring for FIFO and LIFO, a binary heap for priorities. Putters wait only
 * while the array is full, getters only while it is empty. An item goes straight to the getter that
 * has waited longest, so no coroutine that comes later takes it first. */
#include "hub/sync/queue_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/base/ring.h"
#include "hub/sync/event.h"
#include "hub/waiters_priv.h"

struct hub_queue {
	enum hub_queue_order order;
	bool is_closed;
	size_t capacity;       /* SIZE_MAX: no bound */
	struct ring ring;      /* of struct queue_item; a heap's head never moves */
	uint64_t puts;         /* puts so far, also failed ones: the number of the next item */
	size_t undone;         /* items put for which hub_queue_task_done was not called */
	struct hub_event done; /* set while undone is 0 */
	struct hub_waiter *putters;
	struct hub_waiter *getters;
};

struct hub_queue *
hub_queue_new(enum hub_queue_order order, size_t capacity)
{
	struct hub_queue *queue;

	if ((unsigned)order >= HUB_QUEUE_ORDER_MAX) {
		errno = EINVAL;
		return NULL;
	}
	queue = calloc(1, sizeof *queue);
	if (queue == NULL)
		return NULL;
	queue->order = order;
	queue->capacity = capacity != 0 ? capacity : SIZE_MAX;
	hub_event_init(&queue->done);
	hub_event_set(&queue->done);
	return queue;
}

/* Whether coroutines wait only where they must: getters while the array is empty, putters while it
 * is full, neither once the queue is closed, and joiners while items are not done. */
static bool
queue_is_consistent(const struct hub_queue *queue)
{
	size_t count = queue->ring.count;

	return count <= queue->capacity && count <= queue->ring.room &&
	       (queue->getters == NULL || (count == 0 && !queue->is_closed)) &&
	       (queue->putters == NULL || (count == queue->capacity && !queue->is_closed)) &&
	       queue->done.is_set == (queue->undone == 0);
}

void
hub_queue_free(struct hub_queue *queue)
{
	if (queue == NULL)
		return;
	CHECK_WHY(queue->putters == NULL && queue->getters == NULL,
		"a queue is freed for which somebody waits");
	DCHECK(queue_is_consistent(queue));
	free(queue->ring.items);
	free(queue);
}

/* ---- the array ---- */

static struct queue_item *
item_at(const struct hub_queue *queue, size_t index)
{
	return ring_at(&queue->ring, sizeof(struct queue_item), index);
}

static bool
comes_before(const struct queue_item *a, const struct queue_item *b)
{
	return a->priority != b->priority ? a->priority < b->priority : a->number < b->number;
}

static void
swap(struct queue_item *a, struct queue_item *b)
{
	struct queue_item other = *a;

	*a = *b;
	*b = other;
}

/* A heap never moves its head, so the ring's arithmetic leaves it alone. */
static void
heap_rise(struct queue_item *items, size_t at)
{
	while (at > 0 && comes_before(&items[at], &items[(at - 1) / 2])) {
		swap(&items[at], &items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

static void
heap_sink(struct queue_item *items, size_t count)
{
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < count && comes_before(&items[child + 1], &items[child]))
			child++;
		if (child >= count || !comes_before(&items[child], &items[at]))
			return;
		swap(&items[at], &items[child]);
		at = child;
	}
}

/* Whether the item comes before all items of the heap: before its first one. */
static bool
heap_is_behind(const struct hub_queue *queue, const struct queue_item *item)
{
	return queue->ring.count == 0 || comes_before(item, item_at(queue, 0));
}

/* Returns false when memory is out. */
static bool
array_add(struct hub_queue *queue, const struct queue_item *item)
{
	if (!ring_reserve(&queue->ring, sizeof *item))
		return false;
	*item_at(queue, queue->ring.count++) = *item;
	if (queue->order == HUB_QUEUE_PRIORITY)
		heap_rise(queue->ring.items, queue->ring.count - 1);
	return true;
}

static struct queue_item
array_take(struct hub_queue *queue)
{
	struct queue_item item;

	DCHECK(queue->ring.count > 0);
	queue->ring.count--;
	switch (queue->order) {
	case HUB_QUEUE_LIFO:
		return *item_at(queue, queue->ring.count);
	case HUB_QUEUE_PRIORITY:
		item = *item_at(queue, 0);
		*item_at(queue, 0) = *item_at(queue, queue->ring.count);
		heap_sink(queue->ring.items, queue->ring.count);
		DCHECK(heap_is_behind(queue, &item));
		return item;
	default:
		item = *item_at(queue, 0);
		queue->ring.head++;
		return item;
	}
}

/* ---- putting and getting ---- */

static void
count_put(struct hub_queue *queue)
{
	queue->undone++;
	hub_event_clear(&queue->done);
}

/* Returns 0, or an errno: EAGAIN if the queue is full. */
static int
put_now(struct hub_queue *queue, const struct queue_item *item)
{
	struct hub_waiter *getter;

	DCHECK(queue_is_consistent(queue));
	if (queue->is_closed)
		return EPIPE;
	/* A getter waits only while the array is empty. */
	getter = waiters_meet(&queue->getters);
	if (getter != NULL)
		getter->item = item->value;
	else if (queue->ring.count >= queue->capacity)
		return EAGAIN;
	else if (!array_add(queue, item))
		return ENOMEM;
	count_put(queue);
	return 0;
}

void
queue_putter_init(
	struct hub_queue *queue, struct queue_putter *putter, void *item, int64_t priority)
{
	putter->item = (struct queue_item){item, priority, queue->puts++};
}

struct hub_waiter **
queue_waiters(struct hub_queue *queue, bool is_putter)
{
	return is_putter ? &queue->putters : &queue->getters;
}

static int
put(struct hub_queue *queue, void *item, int64_t priority, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "queue put", .on = queue, .deadline = HUB_FOREVER};
	struct queue_putter own;
	int error;

	if (self == NULL)
		return hub_fail_in_turn();
	queue_putter_init(queue, &own, item, priority);
	error = put_now(queue, &own.item);
	if (error != EAGAIN)
		return failed(error);
	wait.deadline = clock_end_of(nanoseconds);
	return waiter_wait(&queue->putters, &own.waiter, self, &wait);
}

int
hub_queue_put_priority(struct hub_queue *queue, void *item, int64_t priority)
{
	return put(queue, item, priority, HUB_FOREVER);
}

int
hub_queue_put(struct hub_queue *queue, void *item)
{
	return put(queue, item, 0, HUB_FOREVER);
}

int
hub_queue_put_for(struct hub_queue *queue, void *item, int64_t nanoseconds)
{
	return put(queue, item, 0, nanoseconds);
}

int
hub_queue_try_put(struct hub_queue *queue, void *item)
{
	struct queue_item own = {item, 0, queue->puts++};
	int error = put_now(queue, &own);

	return failed(error);
}

int
hub_queue_try_get(struct hub_queue *queue, void **item)
{
	struct hub_waiter *putter;

	DCHECK(queue_is_consistent(queue));
	if (queue->ring.count == 0)
		return failed(queue->is_closed ? EPIPE : EAGAIN);
	*item = array_take(queue).value;
	ring_shrink(&queue->ring, sizeof(struct queue_item));
	/* A place is free, and ring_shrink leaves room for an item: adding the longest waiting
	 * putter's item cannot fail. */
	putter = waiters_meet(&queue->putters);
	if (putter != NULL) {
		bool is_added =
			array_add(queue, &CONTAINER_OF(putter, struct queue_putter, waiter)->item);

		CHECK(is_added);
		count_put(queue);
	}
	return 0;
}

int
hub_queue_get(struct hub_queue *queue, void **item)
{
	return hub_queue_get_for(queue, item, HUB_FOREVER);
}

int
hub_queue_get_for(struct hub_queue *queue, void **item, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "queue get", .on = queue, .deadline = HUB_FOREVER};
	struct hub_waiter own;

	if (self == NULL)
		return hub_fail_in_turn();
	if (hub_queue_try_get(queue, item) == 0)
		return 0;
	if (errno != EAGAIN)
		return -1;
	wait.deadline = clock_end_of(nanoseconds);
	if (waiter_wait(&queue->getters, &own, self, &wait) != 0)
		return -1;
	*item = own.item;
	return 0;
}

int
hub_queue_peek(const struct hub_queue *queue, void **item)
{
	size_t at = queue->order == HUB_QUEUE_LIFO ? queue->ring.count - 1 : 0;

	if (queue->ring.count == 0)
		return failed(queue->is_closed ? EPIPE : EAGAIN);
	*item = item_at(queue, at)->value;
	return 0;
}

size_t
hub_queue_size(const struct hub_queue *queue)
{
	return queue->ring.count;
}

void
hub_queue_close(struct hub_queue *queue)
{
	queue->is_closed = true;
	waiters_wake_all(&queue->putters, EPIPE);
	waiters_wake_all(&queue->getters, EPIPE);
	DCHECK(queue_is_consistent(queue));
}

int
hub_queue_task_done(struct hub_queue *queue)
{
	if (queue->undone == 0)
		return failed(EINVAL);
	if (--queue->undone == 0)
		hub_event_set(&queue->done);
	DCHECK(queue_is_consistent(queue));
	return 0;
}

int
hub_queue_join(struct hub_queue *queue)
{
	return hub_event_wait(&queue->done);
}
