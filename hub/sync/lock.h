/* Lock and condition, for coroutines of one hub. Between two blocking calls no other coroutine
 * runs, so a lock is needed only around work that blocks. */
#ifndef HUBBUB_SYNC_LOCK_H
#define HUBBUB_SYNC_LOCK_H

#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_coroutine;
struct hub_waiter;

/* A recursive lock, owned by a coroutine; one that ends without releasing it leaves it locked for
 * ever. Fair. The fields are the library's; {0} is a free one. */
struct hub_lock {
	struct hub_waiter *first;
	struct hub_coroutine *owner;
	uint64_t owner_id; /* its hub_id: the memory of one that has ended may be another's */
	unsigned depth;    /* how often the owner acquired it */
};

/* What coroutines that hold the lock wait for. The field is the library's; {0} has no waiters. */
struct hub_condition {
	struct hub_waiter *first;
};

/* Makes lock a free one. Switches: no. */
void hub_lock_init(struct hub_lock *lock);

/* Acquires the lock, once more if the caller owns it already.
 * Switches: yes, if another coroutine owns it.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM; then it is not acquired. */
int hub_lock_acquire(struct hub_lock *lock);

/* As hub_lock_acquire, waiting for at most that many nanoseconds, with ETIMEDOUT then.
 * Switches: as hub_lock_acquire. */
int hub_lock_acquire_for(struct hub_lock *lock, int64_t nanoseconds);

/* Acquires the lock if no other coroutine owns it.
 * Switches: no.  Returns 0, or -1 with errno EBUSY, or as every blocking call. */
int hub_lock_try_acquire(struct hub_lock *lock);

/* Undoes one acquire; with the last one the lock goes to whoever has waited longest.
 * Switches: no.  Returns 0, or -1 with errno EPERM (the caller does not own it). */
int hub_lock_release(struct hub_lock *lock);

/* Makes condition one without waiters. Switches: no. */
void hub_condition_init(struct hub_condition *condition);

/* Releases the lock, however often it was acquired, waits to be notified, and acquires it again as
 * often. It is acquired again also when this fails, however long that takes. There are no spurious
 * wake-ups, but what was waited for may have changed again: check it.
 * Switches: yes.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK, or EPERM (the caller
 * does not own the lock, or is no coroutine). */
int hub_condition_wait(struct hub_condition *condition, struct hub_lock *lock);

/* Wakes the one that has waited longest. Switches: no. */
void hub_condition_notify(struct hub_condition *condition);

/* Wakes all who wait, in the order in which they came. Switches: no. */
void hub_condition_notify_all(struct hub_condition *condition);

HUBBUB_API_END

#endif
