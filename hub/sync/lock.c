#include "hub/sync/lock.h"

#include <errno.h>

#include "hub/base/failed.h"
#include "hub/waiters_priv.h"

void
hub_lock_init(struct hub_lock *lock)
{
	*lock = (struct hub_lock){0};
}

static bool
is_owner(const struct hub_lock *lock, const struct hub_coroutine *coroutine)
{
	return lock->owner == coroutine && lock->owner_id == coroutine->id;
}

/* NULL: to nobody. */
static void
give(struct hub_lock *lock, struct hub_coroutine *owner)
{
	lock->owner = owner;
	lock->owner_id = owner != NULL ? owner->id : 0;
}

/* Waits until the lock is handed over. A shielded wait ends in no other way. */
static int
lock_wait(struct hub_lock *lock, struct hub_coroutine *self, int64_t deadline, bool is_shielded)
{
	struct wait wait = {
		.what = "lock", .on = lock, .deadline = deadline, .is_shielded = is_shielded};
	struct hub_waiter waiter;
	int reason, deadlocks = 0;

	do {
		waiter_enter(&lock->first, &waiter, self);
		reason = hub_suspend(&wait);
		if (reason == 0)
			return 0;
		waiter_leave(&lock->first, &waiter);
		/* Released while this one was awake: nobody hands it over any more. */
		if (is_shielded && lock->owner == NULL) {
			give(lock, self);
			return 0;
		}
		/* Its owner may have been told of the deadlock, too, and release it now. */
		deadlocks += reason == EDEADLK;
		CHECK_WHY(!is_shielded || deadlocks < HUB_DEADLOCKS_MAX,
			"deadlock: a lock that a condition released is never released again");
	} while (is_shielded);
	return reason;
}

int
hub_lock_try_acquire(struct hub_lock *lock)
{
	struct hub_coroutine *self = hub_enter();

	if (self == NULL)
		return -1;
	if (lock->owner != NULL && !is_owner(lock, self))
		return failed(EBUSY);
	give(lock, self);
	lock->depth++;
	return 0;
}

int
hub_lock_acquire(struct hub_lock *lock)
{
	return hub_lock_acquire_for(lock, HUB_FOREVER);
}

int
hub_lock_acquire_for(struct hub_lock *lock, int64_t nanoseconds)
{
	int reason;

	if (hub_lock_try_acquire(lock) == 0)
		return 0;
	if (errno != EBUSY)
		return -1;
	reason = lock_wait(lock, hub_current(), clock_end_of(nanoseconds), false);
	return failed(reason);
}

/* To the first that still waits; it owns the lock before it runs, so nobody comes in between. */
static void
lock_hand_over(struct hub_lock *lock)
{
	struct hub_coroutine *heir;

	do {
		heir = lock->first != NULL ? lock->first->coroutine : NULL;
		give(lock, heir);
		lock->depth = heir != NULL;
	} while (heir != NULL && !waiter_wake_first(&lock->first, 0));
}

int
hub_lock_release(struct hub_lock *lock)
{
	const struct hub_coroutine *self = hub_current();

	if (self == NULL || !is_owner(lock, self))
		return failed(EPERM);
	if (--lock->depth == 0)
		lock_hand_over(lock);
	return 0;
}

void
hub_condition_init(struct hub_condition *condition)
{
	*condition = (struct hub_condition){0};
}

int
hub_condition_wait(struct hub_condition *condition, struct hub_lock *lock)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "condition", .on = condition, .deadline = HUB_FOREVER};
	struct hub_waiter waiter;
	unsigned depth = lock->depth;
	int reason;

	if (self == NULL)
		return -1;
	if (!is_owner(lock, self))
		return failed(EPERM);
	waiter_enter(&condition->first, &waiter, self);
	lock_hand_over(lock);
	reason = hub_suspend(&wait);
	waiter_leave(&condition->first, &waiter);
	if (lock->owner == NULL)
		give(lock, self);
	else
		lock_wait(lock, self, HUB_FOREVER, true);
	lock->depth = depth;
	return failed(reason);
}

void
hub_condition_notify(struct hub_condition *condition)
{
	waiters_meet(&condition->first);
}

void
hub_condition_notify_all(struct hub_condition *condition)
{
	waiters_wake_all(&condition->first, 0);
}
