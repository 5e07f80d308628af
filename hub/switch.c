#include "hub/switch.h"

#include <errno.h>

#include "hub/scheduler_priv.h"

struct hub_coroutine *
hub_new(hub_fn *body)
{
	struct hub *hub = hub_open();
	struct hub_coroutine *coroutine;

	if (hub == NULL)
		return NULL;
	coroutine = coroutine_new(hub, body, NULL, true);
	if (coroutine != NULL)
		coroutine->state = COROUTINE_SWITCHED;
	return coroutine;
}

/* Whether to is one of those who drive from: then the switch ends what they asked for, as a return
 * ends a call. */
static bool
is_return(const struct hub_coroutine *from, const struct hub_coroutine *to)
{
	while (from != NULL && from != to)
		from = coroutine_driver(from);
	return from == to;
}

void *
hub_switch(struct hub_coroutine *to, void *value)
{
	struct hub *hub = hub_this;

	if (__builtin_expect(to->state == COROUTINE_DONE, 0)) {
		to = coroutine_living_parent(to);
		CHECK_WHY(to != NULL, "hub_switch to one that has ended, and its parents too");
	}
	if (to == hub->current)
		return value;
	CHECK_WHY(to->state == COROUTINE_SWITCHED && to->hub == hub,
		"hub_switch to a coroutine that is not suspended in hub_switch, in this thread");
	hub->current->state = COROUTINE_SWITCHED;
	if (is_return(hub->current, to)) {
		to->switched_to = NULL;
	} else {
		hub->current->switched_to = to;
		to->switched_from = hub->current;
	}
	to->state = COROUTINE_RUNNING;
	return hub_transfer_tail(hub, to, value);
}

bool
hub_is_done(const struct hub_coroutine *coroutine)
{
	return coroutine->state == COROUTINE_DONE;
}

void
hub_free(struct hub_coroutine *coroutine)
{
	if (coroutine == NULL)
		return;
	CHECK_WHY(coroutine->is_raw && (coroutine->state == COROUTINE_SWITCHED ||
					       coroutine->state == COROUTINE_DONE),
		"hub_free of a coroutine that runs, waits in a blocking call, or is not raw");
	coroutine_free(coroutine);
}
