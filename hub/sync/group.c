/* A child is detached and linked to its group: its end takes it out of the list, tells the owner
 * (child_ended), and wakes the coroutines in group_wait once the list is empty. So the list has
 * exactly the children that have not ended. */
#include "hub/sync/group_priv.h"

#include <errno.h>

#include "hub/base/failed.h"
#include "hub/base/fifo.h"
#include "hub/coroutine_priv.h"
#include "hub/link_priv.h"
#include "hub/waiters_priv.h"

void
group_init(struct hub_group *group,
	void (*child_ended)(struct hub_group *group, struct hub_coroutine *child))
{
	*group = (struct hub_group){.child_ended = child_ended};
}

/* Whether the list has exactly the children that are counted. */
static bool
group_is_consistent(const struct hub_group *group)
{
	size_t count = 0;

	for (const struct hub_coroutine *child = group->first; child != NULL;
		child = child->sibling_next, count++)
		if (child->group != group || child->id == 0 || !child->is_detached)
			return false;
	return count == group->count;
}

static void
add(struct hub_group *group, struct hub_coroutine *child)
{
	DCHECK(child->group == NULL && (group->first == NULL) == (group->count == 0));
	FIFO_APPEND(group->first, child, sibling_next, sibling_previous);
	child->group = group;
	group->count++;
}

static void
drop(struct hub_group *group, struct hub_coroutine *child)
{
	DCHECK(child->group == group && group->count > 0);
	FIFO_REMOVE(group->first, child, sibling_next, sibling_previous);
	child->group = NULL;
	group->count--;
}

static void
ended(struct hub_link *link, struct hub_coroutine *child)
{
	struct hub_group *group = child->group;

	(void)link;
	drop(group, child);
	if (group->child_ended != NULL)
		group->child_ended(group, child);
	if (group->count == 0)
		waiters_wake_all(&group->waiters, 0);
}

struct hub_coroutine *
group_spawn(struct hub_group *group, hub_fn *body, void *argument, const void *spawned_at)
{
	struct hub_coroutine *child = coroutine_spawn(body, argument, spawned_at);

	if (child == NULL)
		return NULL;
	child->is_detached = true;
	add(group, child);
	child->group_link.ended = ended;
	hub_link(child, &child->group_link);
	return child;
}

int
group_wait(struct hub_group *group, const char *what, bool is_shielded)
{
	struct wait wait = {
		.what = what, .on = group, .deadline = HUB_FOREVER, .is_shielded = is_shielded};
	int reason = 0, deadlocks = 0;

	DCHECK(group_is_consistent(group));
	while (group->count > 0 &&
		(reason == 0 || (is_shielded && deadlocks < HUB_DEADLOCKS_MAX))) {
		struct hub_waiter waiter;

		waiter_enter(&group->waiters, &waiter, hub_this->current);
		reason = hub_suspend(&wait);
		waiter_leave(&group->waiters, &waiter);
		/* A deadlock is told to all waiting coroutines: the children may end because of
		 * it. */
		deadlocks += reason == EDEADLK;
	}
	DCHECK(group_is_consistent(group));
	return group->count == 0 ? 0 : reason;
}

void
group_kill(struct hub_group *group)
{
	DCHECK(group_is_consistent(group));
	for (struct hub_coroutine *child = group->first; child != NULL; child = child->sibling_next)
		coroutine_kill(child);
}

/* ---- any that are at hand ---- */

int
hub_kill_all(struct hub_coroutine *const *coroutines, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count; i++)
		if (hub_kill(coroutines[i]) != 0)
			result = -1;
	return result;
}

int
hub_end_all(struct hub_coroutine **coroutines, size_t count, int64_t nanoseconds, size_t *ended)
{
	*ended = 0;
	for (size_t i = 0; i < count; i++)
		if (coroutines[i]->is_raw)
			return failed(EINVAL);
	hub_kill_all(coroutines, count);
	return link_wait_ended(coroutines, count, 0, 0, nanoseconds, ended);
}
