/* Semaphore: a number of permits, for coroutines of one hub. Fair: a released permit goes straight
 * to whoever has waited longest, and nobody who comes later takes it first. */
#ifndef HUBBUB_SYNC_SEMAPHORE_H
#define HUBBUB_SYNC_SEMAPHORE_H

#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_waiter;

/* The fields are the library's. */
struct hub_semaphore {
	struct hub_waiter *first;
	unsigned count; /* permits that are free */
	unsigned limit; /* that may be free at most */
};

/* Makes a semaphore with count free permits, to which more may be released. Switches: no. */
void hub_semaphore_init(struct hub_semaphore *semaphore, unsigned count);

/* As hub_semaphore_init, but more than count can never be free. Switches: no. */
void hub_semaphore_init_bounded(struct hub_semaphore *semaphore, unsigned count);

/* Takes a permit; waits for one if none is free.
 * Switches: yes, unless one is free.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM; then it took none. */
int hub_semaphore_acquire(struct hub_semaphore *semaphore);

/* As hub_semaphore_acquire, waiting for at most that many nanoseconds, with ETIMEDOUT then.
 * Switches: as hub_semaphore_acquire. */
int hub_semaphore_acquire_for(struct hub_semaphore *semaphore, int64_t nanoseconds);

/* Takes a permit if one is free now. Switches: no.  Returns 0, or -1 with errno EAGAIN. */
int hub_semaphore_try_acquire(struct hub_semaphore *semaphore);

/* How many permits are free. Switches: no.  Errors: none. */
unsigned hub_semaphore_count(const struct hub_semaphore *semaphore);

/* Gives a permit, to whoever has waited longest, if anybody waits. Switches: no.
 * Returns 0, or -1 with errno EOVERFLOW (a bounded one had all its permits, or the count is
 * full). */
int hub_semaphore_release(struct hub_semaphore *semaphore);

HUBBUB_API_END

#endif
