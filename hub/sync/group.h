/* Several coroutines at once: the group that pools and nurseries are made of, and killing an array
 * of coroutines. */
#ifndef HUBBUB_SYNC_GROUP_H
#define HUBBUB_SYNC_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "../coroutine.h"

struct hub_waiter;

/* A set of living coroutines. The fields are the library's. */
struct hub_group {
	struct hub_coroutine *first; /* of a list in which the first one's previous is the last */
	size_t count;
	struct hub_waiter *waiters; /* coroutines that wait until the group is empty */
	/* The owner's hook, or NULL: called at each child's end, after the child has left the
	 * group. */
	void (*child_ended)(struct hub_group *group, struct hub_coroutine *child);
};

HUBBUB_API_BEGIN

/* Kills each of the coroutines. Switches: no.  Returns 0, or -1 with errno EINVAL (a raw coroutine
 * was among them; the others are killed all the same). */
int hub_kill_all(struct hub_coroutine *const *coroutines, size_t count);

/* Kills each of the coroutines, and waits until all have ended, for at most so many nanoseconds;
 * joins none.
 * Switches: yes, unless all have ended.
 * Returns, sorts the array and sets *ended as hub_wait_ended, with ETIMEDOUT when the time is over;
 * or -1 with errno EINVAL (a raw coroutine is among them; then none is killed). */
int hub_end_all(
	struct hub_coroutine **coroutines, size_t count, int64_t nanoseconds, size_t *ended);

HUBBUB_API_END

#endif
