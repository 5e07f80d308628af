#include "hub/timeout.h"

#include <errno.h>

#include "hub/base/clock.h"
#include "hub/scheduler_priv.h"

void
hub_timeout_start(struct hub_timeout *scope, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_current();

	CHECK_WHY(self != NULL, "hub_timeout_start outside of a coroutine");
	scope->outer = self->scope;
	scope->expired = nanoseconds <= 0;
	scope->deadline = nanoseconds <= 0 || nanoseconds == HUB_FOREVER
				  ? HUB_FOREVER
				  : clock_after(clock_now(), nanoseconds);
	scope->earliest = scope->deadline;
	if (scope->outer != NULL && scope->outer->earliest < scope->earliest)
		scope->earliest = scope->outer->earliest;
	self->scope = scope;
	if (scope->expired)
		coroutine_update_interrupt(self);
}

bool
hub_timeout_stop(struct hub_timeout *scope)
{
	struct hub_coroutine *self = hub_current();

	CHECK_WHY(self != NULL && self->scope == scope,
		"timeout scopes are stopped in reverse order, by the coroutine that started them");
	self->scope = scope->outer;
	if (self->interrupt == ETIMEDOUT)
		coroutine_update_interrupt(self);
	return scope->expired;
}
