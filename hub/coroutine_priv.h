/* A coroutine as the library sees it. It lives at the top of its own stack. */
#ifndef HUBBUB_COROUTINE_PRIV_H
#define HUBBUB_COROUTINE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/arch/switch_priv.h"
#include "hub/base/list.h"
#include "hub/base/loop.h"
#include "hub/coroutine.h"
#include "hub/failure.h"
#include "hub/link.h"
#include "hub/stack_priv.h"
#include "hub/timeout.h"

#define COROUTINE_NAME_SIZE 32

enum coroutine_state {
	COROUTINE_READY,    /* in the run queue; also before its first run */
	COROUTINE_RUNNING,  /* the hub's current */
	COROUTINE_WAITING,  /* in hub_suspend */
	COROUTINE_SWITCHED, /* in hub_switch, or raw and not started: resumed by hub_switch alone */
	COROUTINE_DONE,
	COROUTINE_STATE_MAX
};

/* What each wait and wake touches comes first, together. */
struct hub_coroutine {
	struct stack stack; /* first: the arena knows the coroutine by it */
	struct arch_context context;
	struct hub_coroutine *next; /* in the run queue */
	enum coroutine_state state;
	/* Names the present wait, or the next one; no two waits in one slot have the same, whoever
	 * lived in it. A wake that names another epoch comes too late and does nothing. */
	uint32_t epoch;
	int reason;    /* how the last wait ended: 0, or an errno */
	int interrupt; /* what blocking calls fail with at once: 0, ECANCELED or ETIMEDOUT */
	struct hub *hub;
	struct hub_timeout *scope; /* the innermost started one, or NULL */
	int64_t deadline;          /* of the present wait, scopes included; HUB_FOREVER for none */
	int64_t waits_since;       /* about when the present wait began */
	const char *waits_for;     /* a word for dumps */
	const void *waits_on;      /* the object, or the fd as a pointer */
	bool is_pending;           /* the present wait can be ended by the loop */
	bool is_raw;
	bool is_detached;
	bool is_killed;
	bool is_critical;
	bool is_told; /* somebody has taken the failure */
	bool has_run;
	unsigned shields; /* how many of its scopes are shields */
	int thrown;       /* by hub_throw, until hub_thrown asks */

	hub_fn *body;
	void *argument;
	void *result;
	struct hub_coroutine *parent; /* raw: who gets the result; scheduled: who joins, or NULL */
	struct hub_coroutine
		*heir;      /* raw: who gets the end instead of the parent, untold of failures */
	uint64_t parent_id; /* raw: the parent's; with another one it is another coroutine */
	uint64_t heir_id;
	uint64_t id; /* of hub_id; 0 for the thread's own stack, and in a free slot */
	/* Whom it last switched to, and who last switched to it; see coroutine_driver. */
	struct hub_coroutine *switched_to;
	struct hub_coroutine *switched_from;
	struct hub_link
		*links; /* to be told of its end, in order; the first one's previous is the last */
	uint64_t ended; /* how many of the hub's coroutines had ended with it */
	struct hub_failure *failure; /* owned; NULL unless it failed */
	struct cleanup *cleanup;     /* owned; what to do at its end, or NULL */
	struct locals *locals;       /* owned; or NULL */
	struct hub_group *group;     /* that it is a child of, or NULL */
	struct hub_coroutine *sibling_next;
	struct hub_coroutine *sibling_previous;
	struct hub_link group_link;
	const void *spawned_at; /* the address in the code that spawned it */
	int64_t timer_at;       /* the deadline for which the timer is armed, while it is active */
	ev_timer timer;
	char name[COROUTINE_NAME_SIZE];
};

_Static_assert(sizeof(struct arch_context) == 24, "the assembly knows this layout");

/* First function on every stack, called by arch_entry; never returns. */
__attribute__((visibility("hidden"))) _Noreturn void hub_coroutine_main(
	struct hub_coroutine *self, void *value);

/* Takes a slot and makes a coroutine of it, without queueing it. NULL with errno ENOMEM. */
struct hub_coroutine *coroutine_new(struct hub *hub, hub_fn *body, void *argument, bool is_raw);

/* hub_spawn, for callers inside the library that know who asked for it. */
struct hub_coroutine *coroutine_spawn(hub_fn *body, void *argument, const void *spawned_at);

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

/* hub_join, which also copies the failure where that is not NULL. */
int coroutine_join(struct hub_coroutine *coroutine, void **result, struct hub_failure *failure);

/* Gives a coroutine's slot back. */
void coroutine_free(struct hub_coroutine *coroutine);

#endif
