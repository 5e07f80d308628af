/* A group of children, and a timeout scope without a timeout in the opener, which a failure turns
 * into a cancellation: the scope's reason becomes ECANCELED, so the opener's blocking calls fail
 * until the nursery is closed. hub_nursery_close returns only when no child lives; a child that
 * does not end though it is killed ends the process, because children may use the opener's
 * stack. */
#include "hub/sync/nursery.h"

#include <errno.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/coroutine_priv.h"
#include "hub/sync/group_priv.h"

void
hub_nursery_cancel(struct hub_nursery *nursery)
{
	if (nursery->is_cancelled)
		return;
	nursery->is_cancelled = true;
	group_kill(&nursery->group);
	if (nursery->owner == NULL)
		return;
	DCHECK(nursery->owner->nurseries > 0 && nursery->owner->scope != NULL);
	if (nursery->scope.reason == 0)
		nursery->scope.reason = ECANCELED;
	coroutine_update_interrupt(nursery->owner);
	coroutine_wake_interrupted(nursery->owner);
}

/* The nursery returns the first failure to its opener; later failures are reported as those of
 * detached coroutines. */
static void
child_ended(struct hub_group *group, struct hub_coroutine *child)
{
	struct hub_nursery *nursery = CONTAINER_OF(group, struct hub_nursery, group);

	if (child->failure == NULL)
		return;
	if (nursery->failure.code == 0) {
		nursery->failure = *child->failure;
		child->is_told = true;
	}
	hub_nursery_cancel(nursery);
}

void
hub_nursery_open(struct hub_nursery *nursery)
{
	CHECK_WHY(hub_current() != NULL, "hub_nursery_open outside of a coroutine");
	*nursery = (struct hub_nursery){0};
	group_init(&nursery->group, child_ended);
	hub_timeout_start(&nursery->scope, HUB_FOREVER);
	nursery->owner = hub_current();
	nursery->owner->nurseries++;
}

struct hub_coroutine *
hub_nursery_spawn(struct hub_nursery *nursery, hub_fn *body, void *argument)
{
	if (nursery->is_cancelled) {
		errno = ECANCELED;
		return NULL;
	}
	return group_spawn(&nursery->group, body, argument, __builtin_return_address(0));
}

int
hub_nursery_close(struct hub_nursery *nursery)
{
	bool have_ended;
	int reason;

	hub_timeout_stop(&nursery->scope);
	DCHECK(nursery->owner == hub_current() && nursery->owner->nurseries > 0);
	nursery->owner->nurseries--;
	nursery->owner = NULL;
	reason = group_wait(&nursery->group, "nursery", false);
	if (reason != 0) {
		hub_nursery_cancel(nursery);
		have_ended = group_wait(&nursery->group, "nursery", true) == 0;
		CHECK_WHY(have_ended,
			"deadlock: children of a nursery do not end though they are killed");
	}
	/* Children may use the opener's stack, which is left now. */
	DCHECK(nursery->group.count == 0 && nursery->group.first == NULL);
	/* No coroutine would wait for later children: refuse to spawn. */
	nursery->is_cancelled = true;
	if (nursery->failure.code != 0)
		reason = nursery->failure.code;
	return failed(reason);
}
