/* Each object is a mutex and a list of waiters (waiter_priv.h). The mutex is held for a few
 * instructions and never across a wait. A permit or an item is handed to the longest waiter under
 * the mutex, so a waiter that has timed out by then has received nothing. */
#include "hub/thread/shared.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "hub/base/ring.h"
#include "hub/thread/waiter_priv.h"

/* ---- semaphore ---- */

struct hub_shared_semaphore {
	pthread_mutex_t mutex;
	struct list waiters;
	unsigned count;
};

struct hub_shared_semaphore *
hub_shared_semaphore_new(unsigned count)
{
	struct hub_shared_semaphore *semaphore = malloc(sizeof *semaphore);

	if (semaphore == NULL)
		return NULL;
	pthread_mutex_init(&semaphore->mutex, NULL);
	list_init(&semaphore->waiters);
	semaphore->count = count;
	return semaphore;
}

void
hub_shared_semaphore_free(struct hub_shared_semaphore *semaphore)
{
	if (semaphore == NULL)
		return;
	CHECK_WHY(list_is_empty(&semaphore->waiters), "it is freed while somebody waits for it");
	pthread_mutex_destroy(&semaphore->mutex);
	free(semaphore);
}

int
hub_shared_semaphore_try_acquire(struct hub_shared_semaphore *semaphore)
{
	int error = EAGAIN;

	pthread_mutex_lock(&semaphore->mutex);
	if (semaphore->count > 0) {
		semaphore->count--;
		error = 0;
	}
	pthread_mutex_unlock(&semaphore->mutex);
	return failed(error);
}

int
hub_shared_semaphore_acquire(struct hub_shared_semaphore *semaphore)
{
	struct thread_waiter waiter;
	int error = thread_waiter_init(&waiter);

	if (error != 0)
		return failed(error);
	pthread_mutex_lock(&semaphore->mutex);
	if (semaphore->count > 0) {
		semaphore->count--;
		pthread_mutex_unlock(&semaphore->mutex);
		return 0;
	}
	list_append(&semaphore->waiters, &waiter.link);
	return failed(
		thread_waiter_wait(&waiter, &semaphore->mutex, "shared semaphore", semaphore));
}

unsigned
hub_shared_semaphore_count(struct hub_shared_semaphore *semaphore)
{
	unsigned count;

	pthread_mutex_lock(&semaphore->mutex);
	count = semaphore->count;
	pthread_mutex_unlock(&semaphore->mutex);
	return count;
}

int
hub_shared_semaphore_release(struct hub_shared_semaphore *semaphore)
{
	struct thread_waiter *first;
	int error = 0;

	pthread_mutex_lock(&semaphore->mutex);
	first = thread_waiter_first(&semaphore->waiters);
	if (first != NULL)
		thread_waiter_wake(first, 0);
	else if (semaphore->count == UINT_MAX)
		error = EOVERFLOW;
	else
		semaphore->count++;
	pthread_mutex_unlock(&semaphore->mutex);
	return failed(error);
}

/* ---- event ---- */

struct hub_shared_event {
	pthread_mutex_t mutex;
	struct list waiters;
	bool is_set;
};

struct hub_shared_event *
hub_shared_event_new(void)
{
	struct hub_shared_event *event = malloc(sizeof *event);

	if (event == NULL)
		return NULL;
	pthread_mutex_init(&event->mutex, NULL);
	list_init(&event->waiters);
	event->is_set = false;
	return event;
}

void
hub_shared_event_free(struct hub_shared_event *event)
{
	if (event == NULL)
		return;
	CHECK_WHY(list_is_empty(&event->waiters), "it is freed while somebody waits for it");
	pthread_mutex_destroy(&event->mutex);
	free(event);
}

void
hub_shared_event_set(struct hub_shared_event *event)
{
	struct thread_waiter *first;

	pthread_mutex_lock(&event->mutex);
	event->is_set = true;
	while ((first = thread_waiter_first(&event->waiters)) != NULL)
		thread_waiter_wake(first, 0);
	pthread_mutex_unlock(&event->mutex);
}

void
hub_shared_event_clear(struct hub_shared_event *event)
{
	pthread_mutex_lock(&event->mutex);
	event->is_set = false;
	pthread_mutex_unlock(&event->mutex);
}

bool
hub_shared_event_is_set(struct hub_shared_event *event)
{
	bool is_set;

	pthread_mutex_lock(&event->mutex);
	is_set = event->is_set;
	pthread_mutex_unlock(&event->mutex);
	return is_set;
}

int
hub_shared_event_wait(struct hub_shared_event *event)
{
	struct thread_waiter waiter;
	int error = thread_waiter_init(&waiter);

	if (error != 0)
		return failed(error);
	pthread_mutex_lock(&event->mutex);
	if (event->is_set) {
		pthread_mutex_unlock(&event->mutex);
		return 0;
	}
	list_append(&event->waiters, &waiter.link);
	return failed(thread_waiter_wait(&waiter, &event->mutex, "shared event", event));
}

/* ---- queue ---- */

struct hub_shared_queue {
	pthread_mutex_t mutex;
	struct list getters; /* wait while the queue is empty */
	struct list putters; /* wait while it is full */
	size_t capacity;     /* SIZE_MAX: no bound */
	struct ring ring;    /* of void * */
	bool is_closed;
};

struct hub_shared_queue *
hub_shared_queue_new(size_t capacity)
{
	struct hub_shared_queue *queue = calloc(1, sizeof *queue);

	if (queue == NULL)
		return NULL;
	pthread_mutex_init(&queue->mutex, NULL);
	list_init(&queue->getters);
	list_init(&queue->putters);
	queue->capacity = capacity != 0 ? capacity : SIZE_MAX;
	return queue;
}

void
hub_shared_queue_free(struct hub_shared_queue *queue)
{
	if (queue == NULL)
		return;
	CHECK_WHY(list_is_empty(&queue->getters) && list_is_empty(&queue->putters),
		"it is freed while somebody waits for it");
	pthread_mutex_destroy(&queue->mutex);
	free(queue->ring.items);
	free(queue);
}

static bool
add(struct hub_shared_queue *queue, void *item)
{
	if (!ring_reserve(&queue->ring, sizeof item))
		return false;
	*(void **)ring_at(&queue->ring, sizeof item, queue->ring.count++) = item;
	return true;
}

/* The mutex is locked. Returns 0, or EAGAIN, EPIPE, ENOMEM. */
static int
put_now(struct hub_shared_queue *queue, void *item)
{
	struct thread_waiter *getter = thread_waiter_first(&queue->getters);

	if (queue->is_closed)
		return EPIPE;
	if (getter != NULL) {
		getter->item = item;
		thread_waiter_wake(getter, 0);
		return 0;
	}
	if (queue->ring.count >= queue->capacity)
		return EAGAIN;
	return add(queue, item) ? 0 : ENOMEM;
}

/* The mutex is locked. Returns 0, or EAGAIN, EPIPE. */
static int
get_now(struct hub_shared_queue *queue, void **item)
{
	struct thread_waiter *putter;

	if (queue->ring.count == 0)
		return queue->is_closed ? EPIPE : EAGAIN;
	*item = *(void **)ring_at(&queue->ring, sizeof *item, 0);
	queue->ring.head++;
	queue->ring.count--;
	ring_shrink(&queue->ring, sizeof *item);
	/* A place is free: the longest waiting putter gets it. */
	putter = thread_waiter_first(&queue->putters);
	if (putter != NULL) {
		add(queue, putter->item);
		thread_waiter_wake(putter, 0);
	}
	return 0;
}

int
hub_shared_queue_try_put(struct hub_shared_queue *queue, void *item)
{
	int error;

	pthread_mutex_lock(&queue->mutex);
	error = put_now(queue, item);
	pthread_mutex_unlock(&queue->mutex);
	return failed(error);
}

int
hub_shared_queue_put(struct hub_shared_queue *queue, void *item)
{
	struct thread_waiter waiter;
	int error = thread_waiter_init(&waiter);

	if (error != 0)
		return failed(error);
	pthread_mutex_lock(&queue->mutex);
	error = put_now(queue, item);
	if (error != EAGAIN) {
		pthread_mutex_unlock(&queue->mutex);
		return failed(error);
	}
	waiter.item = item;
	list_append(&queue->putters, &waiter.link);
	return failed(thread_waiter_wait(&waiter, &queue->mutex, "shared queue put", queue));
}

int
hub_shared_queue_try_get(struct hub_shared_queue *queue, void **item)
{
	int error;

	pthread_mutex_lock(&queue->mutex);
	error = get_now(queue, item);
	pthread_mutex_unlock(&queue->mutex);
	return failed(error);
}

int
hub_shared_queue_get(struct hub_shared_queue *queue, void **item)
{
	struct thread_waiter waiter;
	int error = thread_waiter_init(&waiter);

	if (error != 0)
		return failed(error);
	pthread_mutex_lock(&queue->mutex);
	error = get_now(queue, item);
	if (error != EAGAIN) {
		pthread_mutex_unlock(&queue->mutex);
		return failed(error);
	}
	list_append(&queue->getters, &waiter.link);
	error = thread_waiter_wait(&waiter, &queue->mutex, "shared queue get", queue);
	if (error == 0)
		*item = waiter.item;
	return failed(error);
}

size_t
hub_shared_queue_size(struct hub_shared_queue *queue)
{
	size_t count;

	pthread_mutex_lock(&queue->mutex);
	count = queue->ring.count;
	pthread_mutex_unlock(&queue->mutex);
	return count;
}

void
hub_shared_queue_close(struct hub_shared_queue *queue)
{
	struct thread_waiter *first;

	pthread_mutex_lock(&queue->mutex);
	queue->is_closed = true;
	while ((first = thread_waiter_first(&queue->putters)) != NULL)
		thread_waiter_wake(first, EPIPE);
	while ((first = thread_waiter_first(&queue->getters)) != NULL)
		thread_waiter_wake(first, EPIPE);
	pthread_mutex_unlock(&queue->mutex);
}
