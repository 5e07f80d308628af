/* What the library does with a coroutine (see record_priv.h): makes, kills, joins and frees it. */
#ifndef HUBBUB_COROUTINE_PRIV_H
#define HUBBUB_COROUTINE_PRIV_H

#include <stdbool.h>

#include "hub/coroutine.h"
#include "hub/record_priv.h"
#include "hub/stack_priv.h"

/* First function on every stack, called by arch_entry; never returns. */
__attribute__((visibility("hidden"))) _Noreturn void hub_coroutine_main(
	struct hub_coroutine *self, void *value);

/* Takes a slot and makes a coroutine of it, without queueing it. NULL with errno ENOMEM. */
struct hub_coroutine *coroutine_new(struct hub *hub, hub_fn *body, void *argument, bool is_raw);

/* hub_spawn, for callers inside the library that know who asked for it. */
struct hub_coroutine *coroutine_spawn(hub_fn *body, void *argument, const void *spawned_at);

/* It runs for the first time. */
static inline void
coroutine_begins(struct hub_coroutine *coroutine)
{
	coroutine->has_run = true;
	stack_begins(&coroutine->stack);
}

/* Makes parent the one that gets a raw coroutine's result. */
static inline void
coroutine_set_parent(struct hub_coroutine *coroutine, struct hub_coroutine *parent)
{
	coroutine->parent = parent;
	coroutine->parent_id = parent->id;
}

/* Makes heir the one that gets a raw coroutine's end. */
static inline void
coroutine_set_heir(struct hub_coroutine *coroutine, struct hub_coroutine *heir)
{
	coroutine->heir = heir;
	coroutine->heir_id = heir->id;
}

/* A raw coroutine's heir; NULL if it has none, or that is gone. */
static inline struct hub_coroutine *
coroutine_heir(const struct hub_coroutine *coroutine)
{
	struct hub_coroutine *heir = coroutine->heir;

	return heir != NULL && heir->id == coroutine->heir_id ? heir : NULL;
}

/* The nearest ancestor of a raw coroutine that has not ended; NULL if one on the way is gone. */
struct hub_coroutine *coroutine_living_parent(const struct hub_coroutine *coroutine);

/* Kills it: its blocking calls fail with ECANCELED, the present one included. */
void coroutine_kill(struct hub_coroutine *coroutine);

/* Ends the wait of the coroutine, or of what waits on its behalf, if that may no longer block. */
void coroutine_wake_interrupted(struct hub_coroutine *coroutine);

/* Whether it can be joined, or detached, by somebody. */
bool coroutine_is_joinable(const struct hub_coroutine *coroutine);

/* hub_join, which also copies the failure where that is not NULL, and waits for so long at most. */
int coroutine_join(struct hub_coroutine *coroutine, void **result, struct hub_failure *failure,
	int64_t nanoseconds);

/* Gives a coroutine's slot back. */
void coroutine_free(struct hub_coroutine *coroutine);

#endif
