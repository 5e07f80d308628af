/* Nurseries: no child outlives one, however it is closed, and a failure cancels the others. */
#include <errno.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
sleeper(void *argument)
{
	trace_call("sleep", hub_sleep((intptr_t)argument));
	return NULL;
}

static void *
failing(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	trace_say("it fails");
	return hub_fail((int)(intptr_t)argument, "child failed");
}

static void *
close_body(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	for (int i = 0; i < 3; i++)
		hub_nursery_spawn(&nursery, sleeper, (void *)(intptr_t)(i * HUB_MILLISECOND));
	trace_call("close", hub_nursery_close(&nursery));
	return argument;
}

Test(nursery, close_waits_for_all)
{
	in_hub(close_body, NULL);
	cr_assert_str_eq(trace_text(), "sleep 0, sleep 0, sleep 0, close 0");
}

static void *
failure_body(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	hub_nursery_spawn(&nursery, failing, (void *)EIO);
	trace_call("the opener's sleep", hub_sleep(HUB_FOREVER));
	trace_pointer("spawn", hub_nursery_spawn(&nursery, sleeper, NULL));
	trace_call("close", hub_nursery_close(&nursery));
	trace_say("'%s'", nursery.failure.text);
	trace_call("the opener's nap", hub_sleep(HUB_MILLISECOND));
	return argument;
}

Test(nursery, a_failure_cancels_the_siblings_and_the_opener_inside)
{
	in_hub(failure_body, NULL);
	cr_assert_str_eq(trace_text(),
		"it fails, sleep ECANCELED, the opener's sleep ECANCELED, spawn ECANCELED, "
		"close EIO, 'child failed', the opener's nap 0");
}

static void *
opener(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	trace_call("killed close", hub_nursery_close(&nursery));
	return argument;
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *coroutine;
	struct hub_timeout scope;
	struct hub_nursery nursery;

	coroutine = hub_spawn(opener, NULL);
	until_it_waits(coroutine);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	trace_call("close in a scope", hub_nursery_close(&nursery));
	trace_whether("expired", hub_timeout_stop(&scope));
	/* Cancelled before a child has ever run. */
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	hub_nursery_cancel(&nursery);
	trace_call("cancelled close", hub_nursery_close(&nursery));
	return argument;
}

Test(nursery, children_never_outlive_it_however_it_is_closed)
{
	in_hub(killed_body, NULL);
	cr_assert_str_eq(trace_text(), "sleep ECANCELED, killed close ECANCELED, sleep ECANCELED, "
				       "close in a scope ETIMEDOUT, expired, cancelled close 0");
}

static void *
deadlock_body(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	trace_call("close", hub_nursery_close(&nursery));
	return argument;
}

Test(nursery, a_deadlock_ends_the_children)
{
	in_hub(deadlock_body, NULL);
	cr_assert_str_eq(trace_text(), "sleep ECANCELED, close EDEADLK");
}
