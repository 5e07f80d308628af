/* What a coroutine waits on, as a dump tells it: an fd, or a lock that another coroutine holds. */
#ifndef HUBBUB_DEBUG_AWAITED_PRIV_H
#define HUBBUB_DEBUG_AWAITED_PRIV_H

#include <stdint.h>

#include "hub/record_priv.h"

/* Whether the coroutine, which waits, waits on an fd: no object lies as low as fds. */
static inline bool
coroutine_waits_on_fd(const struct hub_coroutine *coroutine)
{
	return (uintptr_t)coroutine->waits_on < 4096 * 1024;
}

/* Returns the coroutine that holds the lock for which this one waits; NULL if it waits for no lock,
 * or if the holder has ended without releasing it. Set where there are locks: by sync/lock.c. */
extern const struct hub_coroutine *(*awaited_holder)(const struct hub_coroutine *coroutine);

#endif
