/* Several coroutines: what pools and nurseries have in common, and killing those at hand. */
#ifndef HUBBUB_SYNC_GROUP_H
#define HUBBUB_SYNC_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "../coroutine.h"

struct hub_waiter;

/* Coroutines that live. The fields are the library's. */
struct hub_group {
	struct hub_coroutine *first; /* the first one's previous is the last */
	size_t count;
	struct hub_waiter *waiters; /* for it to be empty */
	void (*child_ended)(struct hub_group *group, struct hub_coroutine *child);
};

HUBBUB_API_BEGIN

/* Kills each. Switches: no.  Returns 0, or -1 with errno EINVAL (a raw one was among them; the
 * others are killed all the same). */
int hub_kill_all(struct hub_coroutine *const *coroutines, size_t count);

/* Kills each and waits until all have ended, for at most that many nanoseconds; joins none.
 * Switches: yes, unless all have ended.
 * Returns, sorts the array and sets *ended as hub_wait_ended, with ETIMEDOUT when the time is over;
 * or -1 with errno EINVAL (a raw one is among them; none is killed then). */
int hub_end_all(
	struct hub_coroutine **coroutines, size_t count, int64_t nanoseconds, size_t *ended);

HUBBUB_API_END

#endif
