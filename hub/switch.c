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

void *
hub_switch(struct hub_coroutine *to, void *value)
{
	struct hub *hub = hub_this;

	while (__builtin_expect(to->state == COROUTINE_DONE, 0) && to->parent != NULL)
		to = to->parent;
	if (to == hub->current)
		return value;
	CHECK_WHY(to->state == COROUTINE_SWITCHED && to->hub == hub,
		"hub_switch to a coroutine that is not suspended in hub_switch, in this thread");
	hub->current->state = COROUTINE_SWITCHED;
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
	CHECK_WHY(coroutine->is_raw && coroutine->state != COROUTINE_RUNNING,
		"hub_free of a coroutine that is running or not raw");
	coroutine_free(coroutine);
}
