/* A set of coroutines that leave it, and free themselves, as they end: what pools and nurseries are
 * made of. */
#ifndef HUBBUB_SYNC_GROUP_PRIV_H
#define HUBBUB_SYNC_GROUP_PRIV_H

#include "hub/scheduler_priv.h"
#include "hub/sync/group.h"

/* child_ended, which may be NULL, is told of each child's end, after it has left the group. */
void group_init(struct hub_group *group,
	void (*child_ended)(struct hub_group *group, struct hub_coroutine *child));

/* As hub_spawn; the child may be named or killed while it lives. */
struct hub_coroutine *group_spawn(
	struct hub_group *group, hub_fn *body, void *argument, const void *spawned_at);

/* Waits until the group is empty. Returns 0 or an errno; a shielded wait ends only with 0 or
 * EDEADLK. */
int group_wait(struct hub_group *group, const char *what, bool is_shielded);

void group_kill(struct hub_group *group);

#endif
