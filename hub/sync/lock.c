/* A released lock is handed over: the longest waiter owns it before it runs, so no coroutine that
 * comes in between can take it. A condition's wait reacquires the lock in a shield, because its
 * caller relies on owning it, whatever the wait returned. */
#include "hub/sync/lock.h"

#include <errno.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/debug/awaited_priv.h"
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

/* Whether the lock is free, with no coroutine that waits for it, or owned by one that has acquired
 * it. */
static bool
lock_is_consistent(const struct hub_lock *lock)
{
	return lock->owner != NULL ? lock->depth > 0 && lock->owner_id != 0
				   : lock->depth == 0 && lock->first == NULL;
}

/* Makes owner the owner; NULL: the lock is free. */
static void
give(struct hub_lock *lock, struct hub_coroutine *owner)
{
	lock->owner = owner;
	lock->owner_id = owner != NULL ? owner->id : 0;
}

/* Waits until the lock is handed over. Returns 0, or an errno; a shielded wait ends only with 0.
 * Switches. */
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
		DCHECK((reason == 0) == is_owner(lock, self));
		if (reason == 0)
			return 0;
		waiter_leave(&lock->first, &waiter);
		/* The lock was released while this coroutine was awake, and in no queue: no
		 * hand-over will come. */
		if (is_shielded && lock->owner == NULL) {
			give(lock, self);
			return 0;
		}
		/* A deadlock is told to all waiting coroutines: the owner may release the lock
		 * because of it. */
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

	DCHECK(lock_is_consistent(lock));
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
		return hub_fail_in_turn();
	reason = lock_wait(lock, hub_current(), clock_end_of(nanoseconds), false);
	return failed(reason);
}

/* As awaited_holder. */
static const struct hub_coroutine *
find_holder(const struct hub_coroutine *coroutine)
{
	const struct hub_lock *lock = coroutine->waits_on;

	/* The memory of a coroutine that has ended stays readable: see stack_priv.h. */
	return strcmp(coroutine->waits_for, "lock") == 0 && lock->owner != NULL &&
			       is_owner(lock, lock->owner)
		       ? lock->owner
		       : NULL;
}

static __attribute__((constructor)) void
tell_dumps(void)
{
	awaited_holder = find_holder;
}

/* Hands the lock to the first coroutine that still waits, or frees it. The new owner owns the lock
 * before it runs, so no other coroutine can take it in between. */
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
	DCHECK(lock_is_consistent(lock));
	if (--lock->depth == 0)
		lock_hand_over(lock);
	DCHECK(lock_is_consistent(lock));
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
		return hub_fail_in_turn();
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
	DCHECK(is_owner(lock, self) && lock_is_consistent(lock));
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
