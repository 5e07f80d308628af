#include "worker/call.h"

#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_event changed;
static int64_t time_to_end;

static int64_t
until(const void *unused)
{
	(void)unused;
	return time_to_end;
}

static const char *
wait_a_moment(void *context)
{
	trace_say("%s %s", hub_name(hub_current()), (const char *)context);
	return hub_sleep(HUB_MILLISECOND) == 0 ? NULL : "killed";
}

static const char *
fail(void *context)
{
	char text[2 * MEMO_WHY_SIZE];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	(void)context;
	return hubbub_why("%s", text);
}

static const char *
wait_for_ever(void *context)
{
	hub_sleep(HUB_FOREVER);
	trace_say("is killed");
	return context;
}

/* A second kill would change nothing; it takes two moments to end. */
static const char *
end_slowly(void *context)
{
	hub_sleep(HUB_FOREVER);
	hub_catch_kill();
	hub_sleep(HUB_MILLISECOND);
	trace_say("ends");
	return context;
}

static void *
run(void *call)
{
	trace_whether("in time", call_run(call));
	trace_say("returned");
	return NULL;
}

static struct call
call_for(hubbub_hook *function, int64_t nanoseconds)
{
	static char context[] = "context";
	struct call call = {.name = "it",
		.function = function,
		.context = context,
		.limit = {until, NULL, &changed},
		.why = "of the last call"};

	time_to_end = nanoseconds == HUB_FOREVER ? HUB_FOREVER : hub_now() + nanoseconds;
	in_hub(run, &call);
	return call;
}

Test(call, runs_in_a_coroutine_of_its_own_that_may_wait)
{
	struct call call = call_for(wait_a_moment, HUB_FOREVER);

	cr_assert(call.has_returned);
	cr_assert_str_eq(call.why, "");
	EXPECT_TRACE("it context, in time, returned");
}

Test(call, that_fails_has_a_text_which_is_cut_if_it_is_long)
{
	struct call call = call_for(fail, HUB_FOREVER);

	cr_assert(call.has_returned);
	cr_assert_eq(strlen(call.why), MEMO_WHY_SIZE - 1);
	EXPECT_TRACE("not in time, returned");
}

static const char *
fail_without_a_text(void *context)
{
	(void)context;
	return "";
}

Test(call, that_fails_without_a_text_has_failed_too)
{
	struct call call = call_for(fail_without_a_text, HUB_FOREVER);

	cr_assert(call.has_returned);
	cr_assert_str_eq(call.why, "it gives no reason");
	EXPECT_TRACE("not in time, returned");
}

Test(call, is_killed_when_its_time_is_over_and_what_it_says_then_does_not_count)
{
	struct call call = call_for(wait_for_ever, HUB_SECOND / 2);

	cr_assert_not(call.has_returned);
	cr_assert_str_eq(call.why, "");
	EXPECT_TRACE("is killed, not in time, returned");
}

Test(call, is_waited_for_also_after_the_kill)
{
	call_for(end_slowly, HUB_SECOND / 2);
	EXPECT_TRACE("ends, not in time, returned");
}

Test(call, whose_time_is_over_does_not_begin)
{
	struct call call = call_for(wait_a_moment, 0);

	cr_assert_str_eq(call.why, "");
	EXPECT_TRACE("not in time, returned");
}

static void *
run_as_time_changes(void *call)
{
	struct hub_coroutine *caller;

	time_to_end = HUB_FOREVER;
	caller = hub_spawn(run, call);
	until_it_waits(caller);
	time_to_end = 0;
	hub_event_set(&changed);
	hub_join(caller, NULL);
	return NULL;
}

Test(call, asks_for_the_time_again_when_something_has_changed)
{
	struct call call = {
		.name = "it", .function = wait_for_ever, .limit = {until, NULL, &changed}};

	in_hub(run_as_time_changes, &call);
	EXPECT_TRACE("is killed, not in time, returned");
}
