/* Lock and condition, for coroutines of one hub. Between two blocking calls of a coroutine no other
 * coroutine runs, so a lock is needed only around work that blocks. */
#ifndef HUBBUB_SYNC_LOCK_H
#define HUBBUB_SYNC_LOCK_H

#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_coroutine;
struct hub_waiter;

/* A recursive, fair lock, owned by a coroutine; a coroutine that ends without releasing it leaves
 * it locked for ever. The fields are the library's; {0} is a free lock. */
struct hub_lock {
	struct hub_waiter *first;    /* coroutines that wait for the lock */
	struct hub_coroutine *owner; /* NULL: the lock is free */
	uint64_t owner_id; /* the owner's hub_id: another coroutine may get an ended one's memory */
	unsigned depth;    /* acquires by the owner that are not released */
};

/* A condition that coroutines wait for while they own a lock. The field is the library's; {0} has
 * no waiters. */
struct hub_condition {
	struct hub_waiter *first;
};

/* Initialises lock as free. Switches: no. */
void hub_lock_init(struct hub_lock *lock);

/* Acquires the lock, once more if the caller owns it already; waits while another coroutine owns
 * it.
 * Switches: yes, if another coroutine owns it.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM; then the lock is not
 * acquired. */
int hub_lock_acquire(struct hub_lock *lock);

/* As hub_lock_acquire, but waits for at most so many nanoseconds, then fails with ETIMEDOUT.
 * Switches: as hub_lock_acquire. */
int hub_lock_acquire_for(struct hub_lock *lock, int64_t nanoseconds);

/* Acquires the lock if no other coroutine owns it.
 * Switches: no.  Returns 0, or -1 with errno EBUSY (another coroutine owns it), ECANCELED,
 * ETIMEDOUT or EPERM. */
int hub_lock_try_acquire(struct hub_lock *lock);

/* Undoes one acquire. The last release hands the lock to the coroutine that has waited longest.
 * Switches: no.  Returns 0, or -1 with errno EPERM (the caller does not own it). */
int hub_lock_release(struct hub_lock *lock);

/* Initialises condition without waiters. Switches: no. */
void hub_condition_init(struct hub_condition *condition);

/* Releases the lock, however often the caller has acquired it, waits to be notified, and acquires
 * it again as often. The lock is acquired again also when the wait fails, however long that takes.
 * There are no spurious wake-ups, but another coroutine may run before this one owns the lock
 * again: check the condition in a loop.
 * Switches: yes.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK, or EPERM (the caller
 * does not own the lock, or is no coroutine). */
int hub_condition_wait(struct hub_condition *condition, struct hub_lock *lock);

/* Wakes the coroutine that has waited longest, if any waits. Switches: no. */
void hub_condition_notify(struct hub_condition *condition);

/* Wakes all waiters, in the order in which they came. Switches: no. */
void hub_condition_notify_all(struct hub_condition *condition);

HUBBUB_API_END

#endif
