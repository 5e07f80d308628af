/* A released permit is handed to the longest waiter and never counted in between, so count is above
 * 0 only while no coroutine waits. */
#include "hub/sync/semaphore.h"

#include <errno.h>
#include <limits.h>

#include "hub/base/failed.h"
#include "hub/waiters_priv.h"

void
hub_semaphore_init(struct hub_semaphore *semaphore, unsigned count)
{
	*semaphore = (struct hub_semaphore){.count = count, .limit = UINT_MAX};
}

void
hub_semaphore_init_bounded(struct hub_semaphore *semaphore, unsigned count)
{
	*semaphore = (struct hub_semaphore){.count = count, .limit = count};
}

/* Whether no coroutine waits while a permit is free. */
static bool
semaphore_is_consistent(const struct hub_semaphore *semaphore)
{
	return semaphore->count <= semaphore->limit &&
	       (semaphore->count == 0 || semaphore->first == NULL);
}

unsigned
hub_semaphore_count(const struct hub_semaphore *semaphore)
{
	return semaphore->count;
}

int
hub_semaphore_acquire(struct hub_semaphore *semaphore)
{
	return hub_semaphore_acquire_for(semaphore, HUB_FOREVER);
}

int
hub_semaphore_acquire_for(struct hub_semaphore *semaphore, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "semaphore", .on = semaphore, .deadline = HUB_FOREVER};
	struct hub_waiter waiter;

	if (self == NULL)
		return hub_fail_in_turn();
	DCHECK(semaphore_is_consistent(semaphore));
	/* A free permit means that no coroutine waits. */
	if (semaphore->count > 0) {
		semaphore->count--;
		return 0;
	}
	wait.deadline = clock_end_of(nanoseconds);
	return waiter_wait(&semaphore->first, &waiter, self, &wait);
}

int
hub_semaphore_try_acquire(struct hub_semaphore *semaphore)
{
	DCHECK(semaphore_is_consistent(semaphore));
	if (semaphore->count > 0) {
		semaphore->count--;
		return 0;
	}
	return failed(EAGAIN);
}

int
hub_semaphore_release(struct hub_semaphore *semaphore)
{
	DCHECK(semaphore_is_consistent(semaphore));
	if (waiters_meet(&semaphore->first) != NULL)
		return 0;
	if (semaphore->count < semaphore->limit) {
		semaphore->count++;
		return 0;
	}
	return failed(EOVERFLOW);
}
