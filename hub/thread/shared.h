/* Semaphore, event and queue that threads share. Each function may be called by a coroutine of any
 * hub, and then only that coroutine waits, or by a thread without a hub, which is blocked. All are
 * fair: a permit or an item goes to the longest waiter, and a call that fails has taken nothing.
 *
 * Inside one hub the objects of sync/ do the same at a tenth of the cost.
 *
 * On a hub's thread outside of a coroutine (in a link or a mailbox message) waiting fails with
 * EPERM, and functions that never wait work. A coroutine that waits here is never told of a
 * deadlock, since another thread may wake it. */
#ifndef HUBBUB_THREAD_SHARED_H
#define HUBBUB_THREAD_SHARED_H

#include <stdbool.h>
#include <stddef.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* ---- semaphore ---- */

struct hub_shared_semaphore;

/* Creates a semaphore with count free permits.
 * Switches: no.  Ownership: the caller frees it.  Returns NULL with errno ENOMEM. */
struct hub_shared_semaphore *hub_shared_semaphore_new(unsigned count);

/* Frees semaphore; no coroutine or thread may be waiting for it, or about to. NULL is ignored.
 * Switches: no. */
void hub_shared_semaphore_free(struct hub_shared_semaphore *semaphore);

/* Takes a permit; waits if none is free.
 * Switches: yes, unless one is free.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT or EPERM. */
int hub_shared_semaphore_acquire(struct hub_shared_semaphore *semaphore);

/* Takes a permit if one is free now. Switches: no.  Returns 0, or -1 with errno EAGAIN. */
int hub_shared_semaphore_try_acquire(struct hub_shared_semaphore *semaphore);

/* How many permits were free a moment ago. Switches: no.  Errors: none. */
unsigned hub_shared_semaphore_count(struct hub_shared_semaphore *semaphore);

/* Releases a permit, to the waiter that has waited longest, if any waits.
 * Switches: no.  Returns 0, or -1 with errno EOVERFLOW (the count is at its maximum). */
int hub_shared_semaphore_release(struct hub_shared_semaphore *semaphore);

/* ---- event ---- */

struct hub_shared_event;

/* Creates an event that is not set.
 * Switches: no.  Ownership: the caller frees it.  Returns NULL with errno ENOMEM. */
struct hub_shared_event *hub_shared_event_new(void);

/* Frees event; no coroutine or thread may be waiting for it, or about to. NULL is ignored.
 * Switches: no. */
void hub_shared_event_free(struct hub_shared_event *event);

/* Sets the event and wakes all waiters; they return even if the event is cleared before they run.
 * Switches: no. */
void hub_shared_event_set(struct hub_shared_event *event);

/* Clears the event: later waits wait again. Switches: no. */
void hub_shared_event_clear(struct hub_shared_event *event);

/* Whether the event was set a moment ago. Switches: no.  Errors: none. */
bool hub_shared_event_is_set(struct hub_shared_event *event);

/* Waits until the event is set.
 * Switches: yes, unless it is set.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT or EPERM. */
int hub_shared_event_wait(struct hub_shared_event *event);

/* ---- queue ---- */

struct hub_shared_queue;

/* Creates a queue, first in first out, for at most capacity items; 0 means no bound.
 * Switches: no.  Ownership: the caller frees it.  Returns NULL with errno ENOMEM. */
struct hub_shared_queue *hub_shared_queue_new(size_t capacity);

/* Frees the queue; no coroutine or thread may be waiting for it, or about to. Items left in it are
 * not freed: take them out first. NULL is ignored. Switches: no. */
void hub_shared_queue_free(struct hub_shared_queue *queue);

/* Adds item; waits for room if the queue is full.
 * Switches: yes, if the queue is full.
 * Returns 0, or -1 with errno EPIPE (closed), ENOMEM, ECANCELED, ETIMEDOUT or EPERM. */
int hub_shared_queue_put(struct hub_shared_queue *queue, void *item);

/* Adds item if there is room now. Switches: no.  Returns as hub_shared_queue_put, with EAGAIN if
 * the queue is full. */
int hub_shared_queue_try_put(struct hub_shared_queue *queue, void *item);

/* Takes the next item; waits if the queue is empty.
 * Switches: yes, if the queue is empty.
 * Returns 0 with *item set, or -1 with errno EPIPE (closed and empty), ECANCELED, ETIMEDOUT or
 * EPERM. */
int hub_shared_queue_get(struct hub_shared_queue *queue, void **item);

/* Takes the next item if there is one now. Switches: no.  Returns as hub_shared_queue_get, with
 * EAGAIN if the queue is empty. */
int hub_shared_queue_try_get(struct hub_shared_queue *queue, void **item);

/* How many items were in the queue a moment ago. Switches: no. */
size_t hub_shared_queue_size(struct hub_shared_queue *queue);

/* Closes the queue: puts, those that wait and later ones, fail with EPIPE; so do gets, once the
 * queue is empty. Switches: no. */
void hub_shared_queue_close(struct hub_shared_queue *queue);

HUBBUB_API_END

#endif
