/* Raw coroutines. A switch makes the caller the driver of its target, unless the target drives the
 * caller already: then the switch is a return. Ended targets are replaced by their nearest living
 * ancestor. A coroutine that hub_switch suspends is in state SWITCHED, which only a switch ends. */
#include "hub/switch.h"

#include <errno.h>

#include "hub/base/failed.h"
#include "hub/coroutine_priv.h"
#include "hub/run_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/trim_priv.h"

struct hub_coroutine *
hub_new(hub_fn *body)
{
	struct hub *hub = hub_of_thread();

	return hub != NULL ? coroutine_new(hub, body, NULL, true) : NULL;
}

/* True if `to` drives `from`, directly or through others. Such a switch is a return, not a call. */
static bool
is_return(const struct hub_coroutine *from, const struct hub_coroutine *to)
{
	while (from != NULL && from != to)
		from = coroutine_driver(from);
	return from == to;
}

/* Suspends the running coroutine, which becomes the driver of `to`, unless this is a return. */
static inline __attribute__((always_inline)) void
hand_over(struct hub *hub, struct hub_coroutine *to)
{
	CHECK_WHY(to->state == COROUTINE_SWITCHED,
		"hub_switch to a coroutine that is not suspended in hub_switch");
	CHECK_WHY(!hub->is_telling, "hub_switch in the callback of a link");
	hub->current->state = COROUTINE_SWITCHED;
	if (is_return(hub->current, to)) {
		to->switched_to = NULL;
	} else {
		hub->current->switched_to = to;
		to->switched_from = hub->current;
		DCHECK(is_return(to, hub->current));
	}
	/* The running coroutine drives `to`, or neither drives the other: never in a circle. */
	DCHECK(!is_return(hub->current, to));
	to->state = COROUTINE_RUNNING;
}

/* Called before any field of hub is read: the thread may have no hub. */
static inline __attribute__((always_inline)) void
check_own(const struct hub *hub, const struct hub_coroutine *to)
{
	CHECK_WHY(to->hub == hub && hub != NULL,
		"hub_switch to a coroutine of another thread, or of one that has ended");
}

void *
hub_switch(struct hub_coroutine *to, void *value)
{
	struct hub *hub = hub_this;

	check_own(hub, to);
	if (__builtin_expect(to->state == COROUTINE_DONE, 0)) {
		CHECK_WHY(to->id != 0, "hub_switch to a coroutine that was freed");
		to = coroutine_living_parent(to);
		CHECK_WHY(to != NULL,
			"hub_switch to a coroutine that has ended, like all its parents");
	}
	to->thrown = 0;
	if (to == hub->current)
		return value;
	hand_over(hub, to);
	return hub_transfer_tail(hub, to, value);
}

/* Finds who receives the error: a target that has not started ends, and one that has ended is
 * skipped, in favour of its parent. ECANCELED goes no further than the target's own end: its parent
 * gets NULL, or, if the target had ended before, the caller does. */
static struct hub_coroutine *
find_target(struct hub_coroutine *to, int *error)
{
	while (to != NULL && to->is_raw && (to->state == COROUTINE_DONE || !to->has_run)) {
		bool had_ended = to->state == COROUTINE_DONE;

		if (had_ended && *error == ECANCELED)
			return hub_this->current;
		if (!had_ended)
			coroutine_end(hub_this, to);
		to = coroutine_living_parent(to);
		if (!had_ended && *error == ECANCELED) {
			*error = 0;
			return to;
		}
	}
	return to;
}

void *
hub_throw(struct hub_coroutine *to, int error)
{
	struct hub *hub = hub_this;
	bool is_own_end;

	check_own(hub, to);
	CHECK_WHY(to->id != 0 || to == &hub->root, "hub_throw at a coroutine that was freed");
	is_own_end = to->state == COROUTINE_DONE && error == ECANCELED;
	CHECK_WHY(error != 0, "hub_throw of error 0");
	to = find_target(to, &error);
	CHECK_WHY(to != NULL, "hub_throw at a coroutine that has ended, like all its parents");
	if (!is_own_end)
		to->thrown = error;
	if (to == hub->current)
		return NULL;
	hand_over(hub, to);
	return hub_transfer_tail(hub, to, NULL);
}

int
hub_thrown(void)
{
	struct hub *hub = hub_this;
	int thrown = hub != NULL ? hub->current->thrown : 0;

	if (thrown != 0)
		hub->current->thrown = 0;
	return thrown;
}

struct hub_coroutine *
hub_parent(const struct hub_coroutine *coroutine)
{
	if (!coroutine->is_raw || coroutine->parent->id != coroutine->parent_id)
		return NULL;
	return coroutine->parent;
}

int
hub_set_parent(struct hub_coroutine *coroutine, struct hub_coroutine *parent)
{
	int error = 0;

	hub_check_own(coroutine);
	if (!coroutine->is_raw)
		error = EINVAL;
	else if (parent->hub != coroutine->hub)
		error = EXDEV;
	for (struct hub_coroutine *each = parent; error == 0 && each != NULL;
		each = hub_parent(each))
		if (each == coroutine)
			error = ELOOP;
	if (error != 0)
		return failed(error);
	coroutine_set_parent(coroutine, parent);
	return 0;
}

bool
hub_is_done(const struct hub_coroutine *coroutine)
{
	return coroutine->state == COROUTINE_DONE;
}

void
hub_free(struct hub_coroutine *coroutine)
{
	struct hub *hub;

	if (coroutine == NULL)
		return;
	hub_check_own(coroutine);
	CHECK_WHY(coroutine->is_raw && (coroutine->state == COROUTINE_SWITCHED ||
					       coroutine->state == COROUTINE_DONE),
		"hub_free of a coroutine that runs, waits in a blocking call, or is not raw");
	hub = coroutine->hub;
	CHECK_WHY(coroutine->nurseries == 0, "hub_free of a coroutine that has a nursery open");
	coroutine_free(coroutine);
	trim_outside(hub);
}
