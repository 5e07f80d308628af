/* Semaphore: a number of permits, for coroutines of one hub. It is fair: a released permit goes
 * straight to the coroutine that has waited longest, and no coroutine that comes later takes it
 * first. */
#ifndef HUBBUB_SYNC_SEMAPHORE_H
#define HUBBUB_SYNC_SEMAPHORE_H

#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_waiter;

/* The fields are the library's. */
struct hub_semaphore {
	struct hub_waiter *first; /* coroutines that wait for a permit */
	unsigned count;           /* free permits */
	unsigned limit;           /* most permits that may be free */
};

/* Initialises a semaphore with count free permits; more may be released. Switches: no. */
void hub_semaphore_init(struct hub_semaphore *semaphore, unsigned count);

/* As hub_semaphore_init, but never more than count permits are free. Switches: no. */
void hub_semaphore_init_bounded(struct hub_semaphore *semaphore, unsigned count);

/* Takes a permit; waits if none is free.
 * Switches: yes, unless one is free.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM; then no permit is taken. */
int hub_semaphore_acquire(struct hub_semaphore *semaphore);

/* As hub_semaphore_acquire, but waits for at most so many nanoseconds, then fails with ETIMEDOUT.
 * Switches: as hub_semaphore_acquire. */
int hub_semaphore_acquire_for(struct hub_semaphore *semaphore, int64_t nanoseconds);

/* Takes a permit if one is free now. Switches: no.  Returns 0, or -1 with errno EAGAIN. */
int hub_semaphore_try_acquire(struct hub_semaphore *semaphore);

/* How many permits are free. Switches: no.  Errors: none. */
unsigned hub_semaphore_count(const struct hub_semaphore *semaphore);

/* Releases a permit, to the coroutine that has waited longest, if any waits. Switches: no.
 * Returns 0, or -1 with errno EOVERFLOW (a bounded semaphore has all its permits, or the count is
 * at its maximum). */
int hub_semaphore_release(struct hub_semaphore *semaphore);

HUBBUB_API_END

#endif
