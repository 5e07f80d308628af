/* A thread waiter: a coroutine of some hub, or a plain thread, that waits for something that a
 * mutex guards and another thread does.
 *
 *	lock; nothing there: append a waiter to the object's list; thread_waiter_wait unlocks
 *	    other thread: lock; take the waiter out; thread_waiter_wake; unlock
 *
 * A coroutine is woken by a message to its hub's mailbox, and the message lies in the waiter, on
 * the coroutine's stack: so once it has been woken it stays until the message has arrived, whatever
 * else wakes it. Whether it was woken is decided under the mutex, once: a timeout that comes later
 * is too late. */
#ifndef HUBBUB_THREAD_WAITER_PRIV_H
#define HUBBUB_THREAD_WAITER_PRIV_H

#include <pthread.h>
#include <stdbool.h>

#include "hub/base/list.h"
#include "hub/scheduler_priv.h"
#include "hub/thread/mailbox.h"

struct thread_waiter {
	struct list link; /* in the object's list while it waits */
	void *item;       /* what it brings, or is given */
	int error;        /* given with the wake */
	bool is_woken;    /* under the mutex */
	/* Of a coroutine; NULL for a plain thread. */
	struct hub_coroutine *coroutine;
	struct hub_mailbox *mailbox;
	uint32_t epoch;
	bool has_arrived;
	struct hub_message message;
	/* Of a plain thread. */
	pthread_cond_t condition;
};

/* Prepares for a wait of the caller. Before the mutex is locked.
 * Returns 0, or an errno: ECANCELED, ETIMEDOUT, or EPERM (a hub runs here, but no coroutine). */
int thread_waiter_init(struct thread_waiter *waiter);

/* Waits until woken; the mutex is locked, the waiter is in a list, and both are otherwise
 * afterwards.
 * Switches. Returns the waker's error, or ECANCELED or ETIMEDOUT if it was not woken. */
int thread_waiter_wait(
	struct thread_waiter *waiter, pthread_mutex_t *mutex, const char *what, const void *on);

/* Goes on waiting until it is woken, though the caller may not wait any more; for one whose memory
 * others still use. The mutex is locked, and not afterwards. Switches. */
int thread_waiter_wait_out(
	struct thread_waiter *waiter, pthread_mutex_t *mutex, const char *what, const void *on);

/* Wakes it, with an error or 0, and takes it out of its list. The mutex is locked. */
void thread_waiter_wake(struct thread_waiter *waiter, int error);

/* The first in the list; NULL if there is none. */
static inline struct thread_waiter *
thread_waiter_first(const struct list *waiters)
{
	return list_is_empty(waiters) ? NULL
				      : CONTAINER_OF(waiters->next, struct thread_waiter, link);
}

#endif
