/* The text that a function returns is copied before its coroutine ends, because the function may
 * have formatted it in memory of its own thread. */
#include "worker/call.h"

#include <errno.h>
#include <stdio.h>

#include "hub/base/check.h"

static void *
run(void *argument)
{
	struct call *call = argument;
	const char *why = call->function(call->context);

	snprintf(call->why, sizeof call->why, "%s", why != NULL ? call_reason(why) : "");
	call->has_returned = true;
	hub_event_set(call->limit.changed);
	return NULL;
}

static void
await_return(const struct call *call)
{
	const struct call_limit *limit = &call->limit;

	while (!call->has_returned) {
		int64_t until = limit->until(limit->context);
		if (until <= hub_now())
			return;
		hub_event_clear(limit->changed);
		if (hub_event_wait_for(limit->changed,
			    until == HUB_FOREVER ? HUB_FOREVER : until - hub_now()) != 0 &&
			errno == ECANCELED)
			return;
	}
}

bool
call_run(struct call *call)
{
	struct hub_coroutine *coroutine;
	bool was_in_time;

	DCHECK(call->name != NULL && call->limit.until != NULL && call->limit.changed != NULL);
	call->has_returned = false;
	call->why[0] = '\0';
	if (call->limit.until(call->limit.context) <= hub_now())
		return false;
	coroutine = hub_spawn(run, call);
	if (coroutine == NULL) {
		snprintf(call->why, sizeof call->why, "no memory");
		return false;
	}
	hub_set_name(coroutine, call->name);
	await_return(call);
	was_in_time = call->has_returned;
	if (!was_in_time)
		hub_kill(coroutine);
	hub_join(coroutine, NULL);
	call->has_returned = was_in_time;
	if (!was_in_time)
		call->why[0] = '\0';
	return was_in_time && call->why[0] == '\0';
}
