/* fails_with of each coroutine is computed from its own kill and scopes, when one of them changes
 * or a deadline is noticed. What drivers contribute is computed at each use, along the chain of
 * drivers, and stored nowhere. */
#include "hub/interruption_priv.h"

#include <errno.h>

#include "hub/base/check.h"

/* The thread's own stack, in a callback of the loop or a call of hub_call_on_root: a wait would let
 * the loop run inside of that. */
static bool
is_in_loop(const struct hub_coroutine *coroutine)
{
	return coroutine == &coroutine->hub->root && coroutine->hub->loop != NULL;
}

bool
coroutine_can_wait(const struct hub_coroutine *coroutine)
{
	while (coroutine != NULL && !is_in_loop(coroutine))
		coroutine = coroutine_driver(coroutine);
	return coroutine == NULL;
}

int
coroutine_drivers_interrupt(const struct hub_coroutine *coroutine)
{
	int interrupt = 0;
	bool is_shielded = coroutine->shields > 0;

	DCHECK(coroutine->is_raw);
	while (interrupt == 0 && (coroutine = coroutine_driver(coroutine)) != NULL) {
		if (is_in_loop(coroutine))
			return EPERM;
		if (!is_shielded)
			interrupt = coroutine->fails_with;
		is_shielded = is_shielded || coroutine->shields > 0;
	}
	return interrupt;
}

int64_t
coroutine_drivers_deadline(const struct hub_coroutine *coroutine)
{
	int64_t earliest = INT64_MAX;

	while (coroutine->shields == 0 && (coroutine = coroutine_driver(coroutine)) != NULL)
		if (coroutine->scope != NULL && coroutine->scope->earliest < earliest)
			earliest = coroutine->scope->earliest;
	return earliest;
}

int
coroutine_own_interrupt(const struct hub_coroutine *coroutine)
{
	const struct hub_timeout *scope = coroutine->scope;
	int interrupt = 0;

	for (; scope != NULL && !scope->is_shield; scope = scope->outer)
		if (scope->reason != 0)
			interrupt = scope->reason;
	return coroutine->is_killed && scope == NULL ? ECANCELED : interrupt;
}

void
coroutine_update_interrupt(struct hub_coroutine *coroutine)
{
	coroutine->fails_with = coroutine_own_interrupt(coroutine);
}

void
coroutine_expire_scopes(struct hub_coroutine *coroutine, int64_t now)
{
	bool has_expired = false;

	if (coroutine->scope->earliest > now)
		return;
	for (struct hub_timeout *scope = coroutine->scope; scope != NULL && !scope->is_shield;
		scope = scope->outer) {
		if (scope->reason != 0 || scope->deadline > now)
			continue;
		scope->reason = ETIMEDOUT;
		has_expired = true;
	}
	if (has_expired)
		coroutine_update_interrupt(coroutine);
	/* The earliest deadline is that of one of these scopes. */
	DCHECK(coroutine->fails_with != 0);
}

void
coroutine_expire_drivers_too(struct hub_coroutine *coroutine, int64_t now)
{
	while (coroutine != NULL) {
		if (coroutine->scope != NULL)
			coroutine_expire_scopes(coroutine, now);
		coroutine = coroutine->shields == 0 ? coroutine_driver(coroutine) : NULL;
	}
}
