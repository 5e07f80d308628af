#include "hub/debug/dump.h"

#include <stdio.h>

#include "hub/base/clock.h"
#include "hub/scheduler_priv.h"

static const char *const state_names[COROUTINE_STATE_MAX] = {
	[COROUTINE_READY] = "runnable",
	[COROUTINE_RUNNING] = "running",
	[COROUTINE_WAITING] = "waits",
	[COROUTINE_SWITCHED] = "suspended in hub_switch",
	[COROUTINE_DONE] = "ended, not joined",
};

struct dump {
	int fd;
	int64_t now;
};

static void
visit_dump(struct stack *stack, void *context)
{
	const struct hub_coroutine *coroutine = (const struct hub_coroutine *)(void *)stack;
	const struct dump *dump = context;

	dprintf(dump->fd, "  coroutine %p \"%s\": %s", (const void *)coroutine, coroutine->name,
		state_names[coroutine->state]);
	if (coroutine->state == COROUTINE_WAITING)
		dprintf(dump->fd, " for %s (%p) since %.3f s%s", coroutine->waits_for,
			coroutine->waits_on,
			(double)(dump->now - coroutine->waits_since) / (double)CLOCK_SECOND,
			coroutine->deadline == HUB_FOREVER ? "" : ", with a deadline");
	dprintf(dump->fd, "%s\n", coroutine->is_killed ? ", killed" : "");
}

void
hub_dump(int fd)
{
	struct dump dump = {fd, clock_now()};

	if (hub_this != NULL)
		stack_arena_each(&hub_this->arena, visit_dump, &dump);
}
