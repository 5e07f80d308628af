/* Whoever has waited longest for a condition goes on when that is notified, unless its wait has
 * ended already. The call stands here, around the real one (CMakeLists.txt names it ..._itself). */
#include "hub/sync/lock.h"
#include "hub/waiters_priv.h"
#include "sim/invariants/awaited_priv.h"
#include "sim/world/world_priv.h"

void _hub_condition_notify_itself(struct hub_condition *condition);

static bool
waits(const struct hub_waiter *waiter)
{
	return waiter->coroutine->state == COROUTINE_WAITING && waiter_waits(waiter);
}

void
hub_condition_notify(struct hub_condition *condition)
{
	const struct hub_waiter *first = condition->first;

	while (first != NULL && !waits(first))
		first = first->next;
	_hub_condition_notify_itself(condition);
	/* It lies on its coroutine's stack, which has not run since. */
	if (first != NULL && waits(first))
		world_fail("%s has waited longest for a condition, and is not woken by a notice",
			name_of(first->coroutine));
}
