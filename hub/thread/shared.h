/* Shared semaphore, event and queue: between threads. Every function may be called by a coroutine
 * of any hub, which alone then waits, or by a thread that runs no hub, which is blocked. What is
 * given, goes to whoever has waited longest, and one that is timed out or killed has taken nothing.
 *
 * Inside one hub the objects of sync/ do the same at a tenth of the cost.
 *
 * Where a hub runs, but no coroutine (in a link or a mailbox message), waiting fails with EPERM;
 * what never waits works there. A coroutine that waits for another thread is not deadlocked. */
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

/* Frees it; nobody may be waiting for it, or about to. NULL is ignored. Switches: no. */
void hub_shared_semaphore_free(struct hub_shared_semaphore *semaphore);

/* Takes a permit; waits for one if none is free.
 * Switches: yes, unless one is free.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT or EPERM. */
int hub_shared_semaphore_acquire(struct hub_shared_semaphore *semaphore);

/* Takes a permit if one is free now. Switches: no.  Returns 0, or -1 with errno EAGAIN. */
int hub_shared_semaphore_try_acquire(struct hub_shared_semaphore *semaphore);

/* How many permits were free a moment ago. Switches: no.  Errors: none. */
unsigned hub_shared_semaphore_count(struct hub_shared_semaphore *semaphore);

/* Gives a permit, to whoever has waited longest, if anybody waits.
 * Switches: no.  Returns 0, or -1 with errno EOVERFLOW (the count is full). */
int hub_shared_semaphore_release(struct hub_shared_semaphore *semaphore);

/* ---- event ---- */

struct hub_shared_event;

/* Creates an event that is not set.
 * Switches: no.  Ownership: the caller frees it.  Returns NULL with errno ENOMEM. */
struct hub_shared_event *hub_shared_event_new(void);

/* Frees it; nobody may be waiting for it, or about to. NULL is ignored. Switches: no. */
void hub_shared_event_free(struct hub_shared_event *event);

/* Sets it and wakes all who wait, even if it is cleared before they run. Switches: no. */
void hub_shared_event_set(struct hub_shared_event *event);

/* Clears it: later waits wait again. Switches: no. */
void hub_shared_event_clear(struct hub_shared_event *event);

/* Whether it was set a moment ago. Switches: no.  Errors: none. */
bool hub_shared_event_is_set(struct hub_shared_event *event);

/* Waits until it is set.
 * Switches: yes, unless it is.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT or EPERM. */
int hub_shared_event_wait(struct hub_shared_event *event);

/* ---- queue ---- */

struct hub_shared_queue;

/* Creates a queue, first in first out, for at most capacity items; 0 means no bound.
 * Switches: no.  Ownership: the caller frees it.  Returns NULL with errno ENOMEM. */
struct hub_shared_queue *hub_shared_queue_new(size_t capacity);

/* Frees it; nobody may be waiting for it, or about to, and items in it are the caller's to have
 * taken out. NULL is ignored. Switches: no. */
void hub_shared_queue_free(struct hub_shared_queue *queue);

/* Adds item; waits for room in a full queue.
 * Switches: yes, if it is full.
 * Returns 0, or -1 with errno EPIPE (closed), ENOMEM, ECANCELED, ETIMEDOUT or EPERM. */
int hub_shared_queue_put(struct hub_shared_queue *queue, void *item);

/* Adds item if there is room now. Switches: no.  Returns as put, with EAGAIN for a full queue. */
int hub_shared_queue_try_put(struct hub_shared_queue *queue, void *item);

/* Takes the next item; waits for one.
 * Switches: yes, if it is empty.
 * Returns 0 with *item set, or -1 with errno EPIPE (closed and empty), ECANCELED, ETIMEDOUT or
 * EPERM. */
int hub_shared_queue_get(struct hub_shared_queue *queue, void **item);

/* Takes the next item if there is one now. Switches: no.  Returns as get, with EAGAIN. */
int hub_shared_queue_try_get(struct hub_shared_queue *queue, void **item);

/* How many items are in it, a moment ago. Switches: no. */
size_t hub_shared_queue_size(struct hub_shared_queue *queue);

/* Closes it: putters, waiting and to come, get EPIPE; getters too, once it is empty. Switches:
 * no. */
void hub_shared_queue_close(struct hub_shared_queue *queue);

HUBBUB_API_END

#endif
