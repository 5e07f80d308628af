/* Scopes and shields are a list from the innermost outwards, in the callers' frames. Each scope
 * knows the earliest deadline up to the next shield, so a wait compares one number. Misuse ends the
 * process: a scope that is started twice, or stopped out of order, or left in a frame that is
 * gone. */
#include "hub/timeout.h"

#include <errno.h>

#include "hub/base/clock.h"
#include "hub/scheduler_priv.h"

/* Whether the scope lies on the running coroutine's stack, below all frames: then the function that
 * started it has returned, and other frames have overwritten it since. */
static inline bool
is_left(const struct hub_coroutine *self, const struct hub_timeout *scope)
{
	const unsigned char *here = __builtin_frame_address(0), *at = (const unsigned char *)scope;

	return at >= self->stack.low && at < here && here < self->stack.end;
}

/* Whether the coroutine's scopes agree with what it keeps of them: each knows the earliest deadline
 * of those up to a shield, shields are counted, and fails_with is what the scopes say. */
static bool
scopes_are_consistent(const struct hub_coroutine *self)
{
	unsigned shields = 0;

	for (const struct hub_timeout *each = self->scope; each != NULL; each = each->outer) {
		int64_t earliest = each->deadline;

		if (!each->is_shield && each->outer != NULL && each->outer->earliest < earliest)
			earliest = each->outer->earliest;
		if (each->earliest != earliest || (each->is_shield && each->reason != 0))
			return false;
		shields += each->is_shield;
	}
	return shields == self->shields && self->fails_with == coroutine_own_interrupt(self);
}

/* Checks that scope may be started: no frame of a started scope is gone, and scope is not
 * started. */
static inline void
check_start(const struct hub_coroutine *self, const struct hub_timeout *scope)
{
	CHECK_WHY(self != NULL, "a timeout scope or shield is started outside of a coroutine");
	if (self->scope == NULL)
		return;
	CHECK_WHY(!is_left(self, self->scope),
		"a function has returned that had started a timeout scope, a shield or a nursery");
	for (const struct hub_timeout *each = self->scope; each != NULL; each = each->outer)
		CHECK_WHY(each != scope, "a timeout scope is started that was not stopped");
}

void
hub_timeout_start(struct hub_timeout *scope, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_current();

	check_start(self, scope);
	scope->outer = self->scope;
	scope->is_shield = false;
	scope->reason = nanoseconds <= 0 ? ETIMEDOUT : 0;
	scope->deadline = nanoseconds <= 0 || nanoseconds == HUB_FOREVER
				  ? HUB_FOREVER
				  : clock_after(clock_now(), nanoseconds);
	scope->earliest = scope->deadline;
	if (scope->outer != NULL && scope->outer->earliest < scope->earliest)
		scope->earliest = scope->outer->earliest;
	self->scope = scope;
	if (scope->reason != 0)
		coroutine_update_interrupt(self);
	DCHECK(scopes_are_consistent(self));
}

static struct hub_coroutine *
leave(struct hub_timeout *scope)
{
	struct hub_coroutine *self = hub_current();

	CHECK_WHY(self != NULL && self->scope == scope,
		"timeout scopes are stopped in reverse order, by the coroutine that started them");
	DCHECK(scopes_are_consistent(self));
	self->scope = scope->outer;
	return self;
}

bool
hub_timeout_stop(struct hub_timeout *scope)
{
	struct hub_coroutine *self = leave(scope);

	if (__builtin_expect(self->fails_with != 0, 0))
		coroutine_update_interrupt(self);
	DCHECK(scopes_are_consistent(self));
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

	check_start(self, shield);
	*shield = (struct hub_timeout){.outer = self->scope,
		.deadline = HUB_FOREVER,
		.earliest = HUB_FOREVER,
		.is_shield = true};
	self->scope = shield;
	self->shields++;
	self->fails_with = 0;
	DCHECK(scopes_are_consistent(self));
}

void
hub_shield_stop(struct hub_timeout *shield)
{
	int error = errno;
	struct hub_coroutine *self = leave(shield);

	DCHECK(shield->is_shield && self->shields > 0);
	self->shields--;
	coroutine_update_interrupt(self);
	/* The scopes around the shield had no timer while it was up. */
	if (self->scope != NULL)
		coroutine_expire_scopes(self, clock_now());
	errno = error;
}
