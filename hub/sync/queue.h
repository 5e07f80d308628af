/* Queue: passes items between coroutines of one hub, first in first out, last in first out, or by
 * priority, with or without a bound. */
#ifndef HUBBUB_SYNC_QUEUE_H
#define HUBBUB_SYNC_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_queue;

/* Which item a get takes. Items of equal priority come first in, first out. */
enum hub_queue_order { HUB_QUEUE_FIFO, HUB_QUEUE_LIFO, HUB_QUEUE_PRIORITY, HUB_QUEUE_ORDER_MAX };

/* Creates a queue for at most capacity items; 0 means no bound (for a rendezvous see channel.h).
 * Switches: no.  Ownership: the caller frees it (hub_queue_free).  Returns NULL with errno ENOMEM
 * or EINVAL (order is none of the enum). */
struct hub_queue *hub_queue_new(enum hub_queue_order order, size_t capacity);

/* Frees a queue without waiters; items left in it are not freed: take them out first. NULL is
 * ignored. Switches: no. */
void hub_queue_free(struct hub_queue *queue);

/* Adds item; waits for room if the queue is full.
 * Switches: yes, if the queue is full.  Ownership: item becomes the queue's, on success only.
 * Returns 0, or -1 with errno EPIPE (closed), ENOMEM, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_queue_put(struct hub_queue *queue, void *item);

/* As hub_queue_put, but waits for at most so many nanoseconds, then fails with ETIMEDOUT. Switches:
 * as hub_queue_put. */
int hub_queue_put_for(struct hub_queue *queue, void *item, int64_t nanoseconds);

/* As hub_queue_put, with a priority: the smallest is taken first. Queues of other orders ignore it.
 * Switches: as hub_queue_put. */
int hub_queue_put_priority(struct hub_queue *queue, void *item, int64_t priority);

/* Adds item if there is room now. Switches: no.  Returns as hub_queue_put, with EAGAIN if the queue
 * is full. */
int hub_queue_try_put(struct hub_queue *queue, void *item);

/* Takes the next item; waits if the queue is empty. A get that fails has taken no item.
 * Switches: yes, if the queue is empty.
 * Returns 0 with *item set, or -1 with errno EPIPE (closed and empty), ECANCELED, ETIMEDOUT,
 * EDEADLK or EPERM. */
int hub_queue_get(struct hub_queue *queue, void **item);

/* As hub_queue_get, but waits for at most so many nanoseconds, then fails with ETIMEDOUT. Switches:
 * as hub_queue_get. */
int hub_queue_get_for(struct hub_queue *queue, void **item, int64_t nanoseconds);

/* Takes the next item if there is one now. Switches: no.  Returns as hub_queue_get, with EAGAIN if
 * the queue is empty. */
int hub_queue_try_get(struct hub_queue *queue, void **item);

/* Sets *item to the item that the next get takes, and leaves it in the queue. Switches: no.
 * Returns as hub_queue_try_get. */
int hub_queue_peek(const struct hub_queue *queue, void **item);

/* How many items are in the queue. Switches: no. */
size_t hub_queue_size(const struct hub_queue *queue);

/* Closes the queue: puts, those that wait and later ones, fail with EPIPE; so do gets, once the
 * queue is empty. Switches: no. */
void hub_queue_close(struct hub_queue *queue);

/* Notes that an item that was taken has been processed. Switches: no.
 * Returns 0, or -1 with errno EINVAL (called more often than items were put). */
int hub_queue_task_done(struct hub_queue *queue);

/* Waits until every item that was put has been processed (hub_queue_task_done).
 * Switches: yes, unless all have been.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_queue_join(struct hub_queue *queue);

HUBBUB_API_END

#endif
