/* Nursery: coroutines that cannot outlive the scope that spawned them.
 *
 *	struct hub_nursery nursery;
 *	hub_nursery_open(&nursery);
 *	hub_nursery_spawn(&nursery, fetch, "a");
 *	hub_nursery_spawn(&nursery, fetch, "b");
 *	if (hub_nursery_close(&nursery) != 0)      waits for both
 *		... one failed, and the other one was cancelled ...
 *
 * When a child fails (hub_fail), its siblings are killed, and blocking calls of whoever opened the
 * nursery fail with ECANCELED until it is closed. */
#ifndef HUBBUB_SYNC_NURSERY_H
#define HUBBUB_SYNC_NURSERY_H

#include <stdbool.h>

#include "../failure.h"
#include "../timeout.h"
#include "group.h"

HUBBUB_API_BEGIN

/* Lives in the caller's memory from open to close. The fields are the library's, but failure may be
 * read: the first child's that failed, with code 0 while none has. */
struct hub_nursery {
	struct hub_group group;
	struct hub_failure failure;
	struct hub_timeout scope;
	struct hub_coroutine *owner; /* while its scope is open */
	bool is_cancelled;
};

/* Opens a nursery in the calling coroutine; it nests with timeout scopes and is closed in reverse
 * order.
 * A coroutine whose body returns before that ends the process, with a message.
 * Switches: no.  Thread: a coroutine's.  Ownership: nursery is borrowed until it is closed. */
void hub_nursery_open(struct hub_nursery *nursery);

/* Spawns a child; children may spawn siblings.
 * Switches: no.  Ownership: the nursery's; the pointer may be used, to name or kill it, while it
 * lives.
 * Returns NULL with errno ENOMEM, or ECANCELED (the nursery or the hub is ending, or has ended). */
struct hub_coroutine *hub_nursery_spawn(struct hub_nursery *nursery, hub_fn *body, void *argument);

/* Kills all children, and makes blocking calls of the opener fail with ECANCELED until it closes
 * the nursery. Switches: no.  Thread: the opener's; any coroutine of it. */
void hub_nursery_cancel(struct hub_nursery *nursery);

/* Waits until all children have ended. If the caller may not wait (killed, timed out, or a
 * deadlock), the children are killed and awaited all the same.
 * Switches: yes, unless all have ended.
 * Returns 0, or -1 with errno: the code of the first failure; else ECANCELED, ETIMEDOUT or EDEADLK,
 * if that cut the wait short. */
int hub_nursery_close(struct hub_nursery *nursery);

HUBBUB_API_END

#endif
