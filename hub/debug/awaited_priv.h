/* What a coroutine waits on, as a dump tells it: an fd, or a lock that another coroutine holds. */
#ifndef HUBBUB_DEBUG_AWAITED_PRIV_H
#define HUBBUB_DEBUG_AWAITED_PRIV_H

#include <stdint.h>

#include "hub/record_priv.h"

/* The fd as what a coroutine waits on: an odd address, where no object lies. Readers of flight
 * recorders know it, too (flight_fd). */
static inline const void *
awaited_fd(int fd)
{
	return (const void *)((uintptr_t)fd << 1 | 1);
}

/* Returns the fd on which the coroutine waits, or -1: it waits on an object, or on nothing. */
static inline int
awaited_fd_of(const struct hub_coroutine *coroutine)
{
	uintptr_t on = (uintptr_t)coroutine->waits_on;

	return (on & 1) != 0 ? (int)(on >> 1) : -1;
}

/* Returns the coroutine that holds the lock for which this one waits; NULL if it waits for no lock,
 * or if the holder has ended without releasing it. Set where there are locks: by sync/lock.c. */
extern const struct hub_coroutine *(*awaited_holder)(const struct hub_coroutine *coroutine);

#endif
