/* A queue of waiting coroutines (base/fifo.h), part of every object that can be waited for. The
 * first to wait is the first to be woken. A waiter lies on the stack of its coroutine. */
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
	void *item;     /* the item that the coroutine puts, or is given */
	uint32_t epoch; /* of the wait: a late wake does nothing */
	bool is_queued;
	bool is_met; /* this waiter ended the wait (a select has several) */
};

/* Whether a wake would end the wait that the waiter stands for. */
static inline bool
waiter_waits(const struct hub_waiter *waiter)
{
	return waiter->coroutine->epoch == waiter->epoch;
}

/* Whether the queue's first waiter leads to its last one. */
static inline bool
waiters_are_linked(const struct hub_waiter *first)
{
	return first == NULL ||
	       (first->is_queued && first->previous->is_queued && first->previous->next == NULL);
}

/* Whether the waiter is where its neighbours say. */
static inline bool
waiter_is_among(const struct hub_waiter *first, const struct hub_waiter *waiter)
{
	bool has_next =
		waiter->next == NULL ? first->previous == waiter : waiter->next->previous == waiter;

	return has_next && (first == waiter || waiter->previous->next == waiter);
}

/* Puts the running coroutine into the queue, with the item that the caller has set. The caller then
 * calls hub_suspend, and waiter_leave if that fails. For a wait in one queue waiter_wait does all
 * three. */
static inline void
waiter_enter(struct hub_waiter **first, struct hub_waiter *waiter, struct hub_coroutine *self)
{
	DCHECK(waiters_are_linked(*first));
	DCHECK(self == hub_this->current && self->state == COROUTINE_RUNNING);
	waiter->coroutine = self;
	waiter->epoch = self->epoch;
	waiter->is_queued = true;
	waiter->is_met = false;
	FIFO_APPEND(*first, waiter, next, previous);
}

/* Takes a waiter out of the queue; does nothing if a wake has taken it out. */
static inline void
waiter_leave(struct hub_waiter **first, struct hub_waiter *waiter)
{
	if (!waiter->is_queued)
		return;
	DCHECK(*first != NULL && waiter_is_among(*first, waiter));
	waiter->is_queued = false;
	FIFO_REMOVE(*first, waiter, next, previous);
}

/* Takes out and wakes the first waiter, which must exist. Returns false if its wait had ended, by a
 * kill or a deadline, and the coroutine has not run since. */
static inline bool
waiter_wake_first(struct hub_waiter **first, int reason)
{
	struct hub_waiter *waiter = *first;

	DCHECK(waiter->is_queued && !waiter->is_met);
	waiter_leave(first, waiter);
	waiter->is_met = hub_wake(waiter->coroutine, waiter->epoch, reason);
	return waiter->is_met;
}

/* Takes out and wakes the first waiter whose wait has not ended, and returns it; NULL if there is
 * none. The coroutine runs later; it will see whatever the caller stores in waiter->item before
 * that. */
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

/* Takes out and wakes all waiters. */
static inline void
waiters_wake_all(struct hub_waiter **first, int reason)
{
	while (*first != NULL)
		waiter_wake_first(first, reason);
}

/* A whole wait: enters the queue, suspends, and leaves the queue if the wait ended without a wake
 * from it. Returns 0, or -1 with errno ETIMEDOUT, ECANCELED, EDEADLK, or the waker's reason. */
static inline int
waiter_wait(struct hub_waiter **first, struct hub_waiter *waiter, struct hub_coroutine *self,
	const struct wait *wait)
{
	int reason;

	waiter_enter(first, waiter, self);
	reason = hub_suspend(wait);
	/* Nobody else wakes it with 0. */
	DCHECK(reason != 0 || (waiter->is_met && !waiter->is_queued));
	if (reason == 0)
		return 0;
	waiter_leave(first, waiter);
	return failed(reason);
}

#endif
