/* The group of coroutines inside a pool or a nursery. A child leaves the group and frees itself
 * when it ends. */
#ifndef HUBBUB_SYNC_GROUP_PRIV_H
#define HUBBUB_SYNC_GROUP_PRIV_H

#include "hub/scheduler_priv.h"
#include "hub/sync/group.h"

/* Initialises an empty group. child_ended, which may be NULL, is called at each child's end, after
 * the child has left the group. Does not switch. */
void group_init(struct hub_group *group,
	void (*child_ended)(struct hub_group *group, struct hub_coroutine *child));

/* Spawns a child, as hub_spawn. The pointer may be used, to name or kill the child, while the child
 * lives. Does not switch. */
struct hub_coroutine *group_spawn(
	struct hub_group *group, hub_fn *body, void *argument, const void *spawned_at);

/* Waits until the group is empty. Returns 0, or an errno; a shielded wait ends only with 0 or
 * EDEADLK. Switches, unless the group is empty. */
int group_wait(struct hub_group *group, const char *what, bool is_shielded);

/* Kills every child. Does not switch. */
void group_kill(struct hub_group *group);

#endif
