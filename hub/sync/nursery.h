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

/* A nursery, in the caller's memory from open to close. The fields are the library's, but failure
 * may be read: that of the first child that failed; code 0 while none has. */
struct hub_nursery {
	struct hub_group group;
	struct hub_failure failure;
	struct hub_timeout scope;
	struct hub_coroutine *owner; /* the opener, from open to close; then NULL */
	bool is_cancelled;           /* children are killed, and no more are spawned */
};

/* Opens a nursery in the calling coroutine. It nests with timeout scopes: what was opened last is
 * closed first.
 * A coroutine whose body returns with an open nursery ends the process, with a message.
 * Switches: no.  Thread: a coroutine's.  Ownership: nursery is borrowed until it is closed. */
void hub_nursery_open(struct hub_nursery *nursery);

/* Spawns a child; children may spawn siblings.
 * Switches: no.  Ownership: the child is the nursery's; the pointer may be used, to name or kill
 * the child, while the child lives.
 * Returns NULL with errno ENOMEM, or ECANCELED (the nursery or the hub is ending, or has ended). */
struct hub_coroutine *hub_nursery_spawn(struct hub_nursery *nursery, hub_fn *body, void *argument);

/* Kills all children, and makes blocking calls of the opener fail with ECANCELED until it closes
 * the nursery. Switches: no.  Thread: any coroutine of the opener's hub. */
void hub_nursery_cancel(struct hub_nursery *nursery);

/* Waits until all children have ended. If the wait is cut short (the caller is killed, times out,
 * or is deadlocked), the children are killed, and the call returns when they have ended.
 * Switches: yes, unless all have ended.
 * Returns 0, or -1 with errno: the code of the first failure; else ECANCELED, ETIMEDOUT or EDEADLK,
 * if that cut the wait short. */
int hub_nursery_close(struct hub_nursery *nursery);

HUBBUB_API_END

#endif
