/* A thread waiter: a coroutine of any hub, or a thread without a hub, that waits for another
 * thread, on an object that a mutex guards.
 *
 * 	lock; nothing there: append a waiter to the object's list; thread_waiter_wait unlocks
 * 	    other thread: lock; take the waiter out; thread_waiter_wake; unlock
 *
 * A coroutine is woken by a message to its hub's mailbox. The message lies in the waiter, on the
 * coroutine's stack: so a coroutine that has been woken stays until the message has arrived,
 * whatever else ends its wait. Whether it has been woken is decided once, under the mutex: a
 * timeout that comes later is too late. */
#ifndef HUBBUB_THREAD_WAITER_PRIV_H
#define HUBBUB_THREAD_WAITER_PRIV_H

#include <pthread.h>
#include <stdbool.h>

#include "hub/base/list.h"
#include "hub/scheduler_priv.h"
#include "hub/thread/mailbox.h"

/* A waiter, on the stack of the coroutine or thread that waits. */
struct thread_waiter {
	struct list link; /* in the object's list, while it waits */
	void *item;       /* item that a putter brings, or a getter receives */
	int error;        /* outcome of the wait, set by the waker */
	bool is_woken;    /* set by the waker; guarded by the mutex */
	/* Used by a coroutine; coroutine is NULL for a thread without a hub. */
	struct hub_coroutine *coroutine;
	struct hub_mailbox *mailbox; /* of the coroutine's hub */
	uint32_t epoch;              /* of the suspension that the message ends */
	bool has_arrived;            /* the message was delivered */
	struct hub_message message;
	/* Used by a thread without a hub. */
	pthread_cond_t condition;
};

/* Prepares a wait of the caller. To be called before the mutex is locked. Switches, if the
 * coroutine has used up its time slice.
 * Returns 0, or an errno: ECANCELED, ETIMEDOUT, or EPERM (a hub runs here, but the caller is no
 * coroutine). */
int thread_waiter_init(struct thread_waiter *waiter);

/* Waits until it is woken. Before the call the mutex is locked and the waiter is in a list;
 * afterwards neither is so. what and on describe the wait in dumps.
 * Switches. Returns the waker's error, or ECANCELED or ETIMEDOUT if it was not woken. */
int thread_waiter_wait(
	struct thread_waiter *waiter, pthread_mutex_t *mutex, const char *what, const void *on);

/* Waits until it is woken, in a shield, for a waiter whose memory another thread still uses. The
 * mutex is locked before the call, and unlocked afterwards. Switches. Returns the waker's error. */
int thread_waiter_wait_out(
	struct thread_waiter *waiter, pthread_mutex_t *mutex, const char *what, const void *on);

/* Takes the waiter out of its list and wakes it, with an error or 0. The mutex is locked. */
void thread_waiter_wake(struct thread_waiter *waiter, int error);

/* The first waiter in the list; NULL if the list is empty. */
static inline struct thread_waiter *
thread_waiter_first(const struct list *waiters)
{
	return list_is_empty(waiters) ? NULL
				      : CONTAINER_OF(waiters->next, struct thread_waiter, link);
}

#endif
