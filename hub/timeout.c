#include "hub/timeout.h"

#include <errno.h>

#include "hub/base/clock.h"
#include "hub/scheduler_priv.h"

/* From here on the coarse clock is fine enough for a scope's start. */
#define COARSE_FROM CLOCK_SECOND

static int64_t
deadline_after(int64_t nanoseconds)
{
	if (nanoseconds >= COARSE_FROM)
		return clock_after(clock_coarse_end(), nanoseconds);
	return clock_after(clock_now(), nanoseconds);
}

void
hub_timeout_start(struct hub_timeout *scope, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_current();

	CHECK_WHY(self != NULL, "hub_timeout_start outside of a coroutine");
	scope->outer = self->scope;
	scope->is_shield = false;
	scope->reason = nanoseconds <= 0 ? ETIMEDOUT : 0;
	scope->deadline = nanoseconds <= 0 || nanoseconds == HUB_FOREVER
				  ? HUB_FOREVER
				  : deadline_after(nanoseconds);
	scope->earliest = scope->deadline;
	if (scope->outer != NULL && scope->outer->earliest < scope->earliest)
		scope->earliest = scope->outer->earliest;
	self->scope = scope;
	if (scope->reason != 0)
		coroutine_update_interrupt(self);
}

static struct hub_coroutine *
leave(struct hub_timeout *scope)
{
	struct hub_coroutine *self = hub_current();

	CHECK_WHY(self != NULL && self->scope == scope,
		"timeout scopes are stopped in reverse order, by the coroutine that started them");
	self->scope = scope->outer;
	return self;
}

bool
hub_timeout_stop(struct hub_timeout *scope)
{
	struct hub_coroutine *self = leave(scope);

	if (__builtin_expect(self->interrupt != 0, 0))
		coroutine_update_interrupt(self);
	return scope->reason == ETIMEDOUT;
}

void *
hub_with_timeout(int64_t nanoseconds, hub_fn *body, void *argument, void *value)
{
	struct hub_timeout scope;
	void *result;

	hub_timeout_start(&scope, nanoseconds);
	result = body(argument);
	return hub_timeout_stop(&scope) ? value : result;
}

void
hub_shield_start(struct hub_timeout *shield)
{
	struct hub_coroutine *self = hub_current();

	CHECK_WHY(self != NULL, "hub_shield_start outside of a coroutine");
	*shield = (struct hub_timeout){.outer = self->scope,
		.deadline = HUB_FOREVER,
		.earliest = HUB_FOREVER,
		.is_shield = true};
	self->scope = shield;
	self->shields++;
	self->interrupt = 0;
}

void
hub_shield_stop(struct hub_timeout *shield)
{
	int error = errno;
	struct hub_coroutine *self = leave(shield);

	self->shields--;
	coroutine_update_interrupt(self);
	/* No timer was armed for what is around it. */
	if (self->scope != NULL)
		coroutine_expire_scopes(self, clock_now());
	errno = error;
}
