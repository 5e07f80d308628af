/* The library's own operations on coroutines: make, kill, join, free. record_priv.h has the
 * record. */
#ifndef HUBBUB_COROUTINE_PRIV_H
#define HUBBUB_COROUTINE_PRIV_H

#include <stdbool.h>

#include "hub/base/check.h"
#include "hub/coroutine.h"
#include "hub/link_priv.h"
#include "hub/record_priv.h"
#include "hub/stack_priv.h"

/* First function on every stack, called by arch_entry; never returns. */
__attribute__((visibility("hidden"))) _Noreturn void hub_coroutine_main(
	struct hub_coroutine *self, void *value);

/* Takes a slot and makes a coroutine in it, not in the run queue. Returns NULL with errno
 * ENOMEM. */
struct hub_coroutine *coroutine_new(struct hub *hub, hub_fn *body, void *argument, bool is_raw);

/* hub_spawn for callers inside the library, which pass the address in the code of their own
 * caller. */
struct hub_coroutine *coroutine_spawn(hub_fn *body, void *argument, const void *spawned_at);

/* The coroutine is about to run for the first time. */
static inline void
coroutine_begins(struct hub_coroutine *coroutine)
{
	coroutine->has_run = true;
	stack_begins(&coroutine->stack);
}

/* A raw coroutine's result goes to parent from now on. */
static inline void
coroutine_set_parent(struct hub_coroutine *coroutine, struct hub_coroutine *parent)
{
	coroutine->parent = parent;
	coroutine->parent_id = parent->id;
}

/* The end of a raw coroutine resumes heir, instead of its parent, from now on. */
static inline void
coroutine_set_heir(struct hub_coroutine *coroutine, struct hub_coroutine *heir)
{
	coroutine->heir = heir;
	coroutine->heir_id = heir->id;
}

/* A raw coroutine's heir; NULL if it has none, or if the heir was freed. */
static inline struct hub_coroutine *
coroutine_heir(const struct hub_coroutine *coroutine)
{
	struct hub_coroutine *heir = coroutine->heir;

	return heir != NULL && heir->id == coroutine->heir_id ? heir : NULL;
}

/* The nearest ancestor of a raw coroutine that has not ended; NULL if one on the way was freed. */
struct hub_coroutine *coroutine_living_parent(const struct hub_coroutine *coroutine);

/* Kills the coroutine: its blocking calls fail with ECANCELED, the present one included. */
void coroutine_kill(struct hub_coroutine *coroutine);

/* Ends the present wait of the coroutine, and of each coroutine that it drives, if that may no
 * longer block. */
void coroutine_wake_interrupted(struct hub_coroutine *coroutine);

/* Whether a caller may join or detach the coroutine. */
bool coroutine_is_joinable(const struct hub_coroutine *coroutine);

/* hub_join, which also copies the failure where failure is not NULL, and waits for at most that
 * many nanoseconds. */
int coroutine_join(struct hub_coroutine *coroutine, void **result, struct hub_failure *failure,
	int64_t nanoseconds);

/* The coroutine has ended, or its body will never run: counts its end, and calls its links. */
static inline void
coroutine_end(struct hub *hub, struct hub_coroutine *coroutine)
{
	DCHECK(coroutine->state == COROUTINE_RUNNING || coroutine->is_raw || hub->scheduled == 0);
	/* A raw one that never ran has ended, too: a link that frees it is refused. */
	coroutine->state = COROUTINE_RUNNING;
	coroutine->ended = ++hub->ended;
	/* Call links before the state is DONE: a link may detach this coroutine, and hub_detach
	 * frees a DONE one at once. */
	if (coroutine->links != NULL)
		links_tell(hub, coroutine);
	coroutine->state = COROUTINE_DONE;
}

/* Frees all that the coroutine owns and gives its slot back; calls the links that are left. */
void coroutine_free(struct hub_coroutine *coroutine);

#endif
