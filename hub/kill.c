/* Kills and interrupts: one coroutine ends the blocking call of another. A kill makes later calls
 * fail, too (fails_with, interruption_priv.h); an interrupt ends the present call alone. */
#include <errno.h>

#include "hub/base/failed.h"
#include "hub/coroutine_priv.h"
#include "hub/scheduler_priv.h"

/* The blocking call may be that of a raw coroutine, such as a generator, that this one drives. */
void
coroutine_wake_interrupted(struct hub_coroutine *coroutine)
{
	for (;;) {
		int interrupt = coroutine_interrupted(coroutine);

		if (interrupt != 0)
			hub_wake(coroutine, coroutine->epoch, interrupt);
		if (coroutine->switched_to == NULL ||
			coroutine_driver(coroutine->switched_to) != coroutine)
			return;
		coroutine = coroutine->switched_to;
	}
}

void
coroutine_kill(struct hub_coroutine *coroutine)
{
	DCHECK(hub_is_own(coroutine) && coroutine->id != 0);
	DCHECK(coroutine->state != COROUTINE_DONE);
	coroutine->is_killed = true;
	coroutine_update_interrupt(coroutine);
	coroutine_wake_interrupted(coroutine);
}

int
hub_kill(struct hub_coroutine *coroutine)
{
	return hub_kill_for(coroutine, 0);
}

int
hub_kill_for(struct hub_coroutine *coroutine, int reason)
{
	hub_check_own(coroutine);
	if (coroutine->is_raw)
		return failed(EINVAL);
	if (coroutine->state == COROUTINE_DONE)
		return 0;
	coroutine->kill_reason = reason;
	coroutine_kill(coroutine);
	return 0;
}

int
hub_kill_reason(void)
{
	struct hub_coroutine *self = hub_current();

	return self != NULL ? self->kill_reason : 0;
}

bool
hub_interrupt(struct hub_coroutine *coroutine)
{
	hub_check_own(coroutine);
	/* A coroutine of hub_spawn_later that waits for its start is WAITING, too, but not inside a
	 * blocking call. */
	return coroutine->has_run && hub_wake(coroutine, coroutine->epoch, EINTR);
}

bool
hub_catch_kill(void)
{
	struct hub_coroutine *self = hub_current();

	CHECK_WHY(self != NULL, "hub_catch_kill outside of a coroutine");
	if (!self->is_killed || self->hub->is_ending)
		return false;
	self->is_killed = false;
	coroutine_update_interrupt(self);
	return true;
}
