/* A queue of waiting coroutines (base/fifo.h): what every object that is waited for has. First in,
 * first woken. Waiters live on the stacks of the coroutines that wait. */
#ifndef HUBBUB_WAITERS_H
#define HUBBUB_WAITERS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/failed.h"
#include "hub/base/fifo.h"
#include "hub/scheduler_priv.h"

struct hub_waiter {
	struct hub_waiter *next;
	struct hub_waiter *previous;
	struct hub_coroutine *coroutine;
	void *item;     /* what it brings, or is given */
	uint32_t epoch; /* of the wait, so that a late wake does nothing */
	bool is_queued;
	bool is_met; /* it was this one, of those of the same wait, that was woken */
};

/* Enters the running coroutine, with the item that the caller has set; it then calls hub_suspend,
 * and waiter_leave if that fails. For a wait in one queue, waiter_wait does all three. */
static inline void
waiter_enter(struct hub_waiter **first, struct hub_waiter *waiter, struct hub_coroutine *self)
{
	waiter->coroutine = self;
	waiter->epoch = self->epoch;
	waiter->is_queued = true;
	waiter->is_met = false;
	FIFO_APPEND(*first, waiter, next, previous);
}

/* Takes a waiter out; one that is out already, because it was woken, stays so. */
static inline void
waiter_leave(struct hub_waiter **first, struct hub_waiter *waiter)
{
	if (!waiter->is_queued)
		return;
	waiter->is_queued = false;
	FIFO_REMOVE(*first, waiter, next, previous);
}

/* Takes out and wakes the first, which must exist. Returns false if it waited no more: a kill or a
 * deadline had ended its wait, and it has not run since. */
static inline bool
waiter_wake_first(struct hub_waiter **first, int reason)
{
	struct hub_waiter *waiter = *first;

	waiter_leave(first, waiter);
	waiter->is_met = hub_wake(waiter->coroutine, waiter->epoch, reason);
	return waiter->is_met;
}

/* Takes out and wakes the first that still waits, and returns it; NULL if nobody does. It runs
 * later: what is left with its waiter now, it finds. */
static inline struct hub_waiter *
waiters_meet(struct hub_waiter **first)
{
	while (*first != NULL) {
		struct hub_waiter *waiter = *first;

		if (waiter_wake_first(first, 0))
			return waiter;
	}
	return NULL;
}

/* Takes out and wakes all. */
static inline void
waiters_wake_all(struct hub_waiter **first, int reason)
{
	while (*first != NULL)
		waiter_wake_first(first, reason);
}

/* A whole wait: enters, suspends, and leaves if it was not woken out of the queue.
 * Returns 0, or -1 with errno ETIMEDOUT, ECANCELED, EDEADLK, or what a waker gave. */
static inline int
waiter_wait(struct hub_waiter **first, struct hub_waiter *waiter, struct hub_coroutine *self,
	const struct wait *wait)
{
	int reason;

	waiter_enter(first, waiter, self);
	reason = hub_suspend(wait);
	if (reason == 0)
		return 0;
	waiter_leave(first, waiter);
	return failed(reason);
}

#endif
