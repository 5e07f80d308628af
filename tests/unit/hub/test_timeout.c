/* Timeout scopes: when they expire, what they fail then, and what of them is seen inside and
 * outside of each other, of shields and of generators. */
#include <errno.h>
#include <signal.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
expire_body(void *argument)
{
	struct hub_timeout scope;

	hub_timeout_start(&scope, 3 * HUB_MILLISECOND);
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_call("yield", hub_sleep(0));
	trace_call("nap", hub_sleep(HUB_MILLISECOND));
	trace_whether("expired", hub_timeout_stop(&scope));
	trace_call("yield", hub_sleep(0));
	return argument;
}

Test(timeout, an_expired_scope_fails_every_call_until_it_is_stopped)
{
	in_hub(expire_body, NULL);
	cr_assert_str_eq(
		trace_text(), "sleep ETIMEDOUT, yield ETIMEDOUT, nap ETIMEDOUT, expired, yield 0");
}

static void *
in_time_body(void *argument)
{
	struct hub_timeout scope;

	hub_timeout_start(&scope, 10 * HUB_SECOND);
	trace_call("nap", hub_sleep(HUB_MILLISECOND));
	trace_whether("expired", hub_timeout_stop(&scope));
	hub_timeout_start(&scope, HUB_FOREVER);
	trace_call("nap", hub_sleep(HUB_MILLISECOND));
	trace_whether("expired", hub_timeout_stop(&scope));
	return argument;
}

Test(timeout, a_scope_that_does_not_expire_changes_nothing)
{
	in_hub(in_time_body, NULL);
	cr_assert_str_eq(trace_text(), "nap 0, not expired, nap 0, not expired");
}

static void *
outer_first_body(void *argument)
{
	struct hub_timeout outer, inner;

	hub_timeout_start(&outer, 3 * HUB_MILLISECOND);
	hub_timeout_start(&inner, 10 * HUB_SECOND);
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_whether("expired inside", hub_timeout_stop(&inner));
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_whether("expired", hub_timeout_stop(&outer));
	return argument;
}

Test(timeout, an_outer_scope_ends_inner_calls_and_is_told_apart)
{
	in_hub(outer_first_body, NULL);
	cr_assert_str_eq(
		trace_text(), "sleep ETIMEDOUT, not expired inside, sleep ETIMEDOUT, expired");
}

static void *
inner_first_body(void *argument)
{
	struct hub_timeout outer, inner;

	hub_timeout_start(&outer, HUB_SECOND);
	hub_timeout_start(&inner, 3 * HUB_MILLISECOND);
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_whether("expired inside", hub_timeout_stop(&inner));
	trace_call("yield", hub_sleep(0));
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_whether("expired", hub_timeout_stop(&outer));
	return argument;
}

Test(timeout, after_an_inner_scope_the_outer_one_still_runs)
{
	in_hub(inner_first_body, NULL);
	cr_assert_str_eq(
		trace_text(), "sleep ETIMEDOUT, expired inside, yield 0, sleep ETIMEDOUT, expired");
}

static void *
zero_body(void *argument)
{
	struct hub_timeout scope;

	hub_timeout_start(&scope, 0);
	trace_call("yield", hub_sleep(0));
	trace_whether("expired", hub_timeout_stop(&scope));
	return argument;
}

Test(timeout, a_scope_of_no_time_has_expired)
{
	in_hub(zero_body, NULL);
	cr_assert_str_eq(trace_text(), "yield ETIMEDOUT, expired");
}

static void *
yield_body(void *argument)
{
	struct hub_timeout scope;
	int64_t began = hub_now();
	int result;

	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	while ((result = hub_sleep(0)) == 0 && hub_now() - began < 10 * HUB_SECOND)
		continue;
	trace_call("yield", result);
	trace_whether("expired", hub_timeout_stop(&scope));
	return argument;
}

Test(timeout, one_that_only_yields_learns_that_its_time_is_up, .timeout = 60)
{
	in_hub(yield_body, NULL);
	cr_assert_str_eq(trace_text(), "yield ETIMEDOUT, expired");
}

static void *
wrong_order_body(void *argument)
{
	struct hub_timeout outer, inner;

	hub_timeout_start(&outer, HUB_SECOND);
	hub_timeout_start(&inner, HUB_SECOND);
	hub_timeout_stop(&outer);
	return argument;
}

Test(timeout, stopping_out_of_order_is_fatal, .signal = SIGABRT)
{
	hub_run(wrong_order_body, NULL, NULL);
}

static void *
shield_body(void *argument)
{
	struct hub_timeout outer, shield;

	hub_timeout_start(&outer, 2 * HUB_MILLISECOND);
	hub_shield_start(&shield);
	trace_call("shielded nap", hub_sleep(6 * HUB_MILLISECOND));
	hub_shield_stop(&shield);
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_whether("expired", hub_timeout_stop(&outer));
	return argument;
}

Test(timeout, a_shield_holds_off_the_scopes_around_it_until_it_is_stopped)
{
	in_hub(shield_body, NULL);
	cr_assert_str_eq(trace_text(), "shielded nap 0, sleep ETIMEDOUT, expired");
}

static void *
sleep_for(void *argument)
{
	hub_sleep(*(int64_t *)argument);
	return "done";
}

static void
say_with(int64_t timeout, int64_t nanoseconds)
{
	trace_say("%s", (char *)hub_with_timeout(timeout, sleep_for, &nanoseconds, "late"));
}

static void *
with_body(void *argument)
{
	say_with(HUB_MILLISECOND, 60 * HUB_SECOND);
	say_with(60 * HUB_SECOND, HUB_MILLISECOND);
	return argument;
}

Test(timeout, with_timeout_gives_a_default_value)
{
	in_hub(with_body, NULL);
	cr_assert_str_eq(trace_text(), "late, done");
}

static void *
coarse_body(void *argument)
{
	int64_t *elapsed = argument, start = hub_now();
	struct hub_timeout scope;

	hub_timeout_start(&scope, HUB_SECOND);
	hub_sleep(HUB_FOREVER);
	hub_timeout_stop(&scope);
	*elapsed = hub_now() - start;
	return NULL;
}

Test(timeout, a_long_scope_is_never_early)
{
	int64_t elapsed = 0;

	in_hub(coarse_body, &elapsed);
	cr_assert_geq(elapsed, HUB_SECOND);
}

/* ---- generators ---- */

static void *
sleepy_generator(void *argument)
{
	hub_yield(NULL);
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	hub_yield(NULL);
	trace_call("nap", hub_sleep(HUB_MILLISECOND));
	return argument;
}

/* Its second value is taken in a scope of that time, the others outside of it. */
static void
take_second_within(int64_t nanoseconds)
{
	struct hub_generator *generator = hub_generator_new(sleepy_generator, NULL);
	struct hub_timeout scope;
	void *value;

	hub_generator_next(generator, &value);
	hub_timeout_start(&scope, nanoseconds);
	hub_generator_next(generator, &value);
	trace_whether("expired", hub_timeout_stop(&scope));
	hub_generator_next(generator, &value);
	hub_generator_free(generator);
}

static void *
generator_body(void *argument)
{
	take_second_within(2 * HUB_MILLISECOND);
	return argument;
}

Test(timeout, a_scope_reaches_into_a_generator_that_blocks)
{
	in_hub(generator_body, NULL);
	cr_assert_str_eq(trace_text(), "sleep ETIMEDOUT, sleep ETIMEDOUT, expired, nap 0");
}

static void *
expired_before_body(void *argument)
{
	take_second_within(0);
	return argument;
}

Test(timeout, a_scope_that_has_expired_before_reaches_into_a_generator_too)
{
	in_hub(expired_before_body, NULL);
	cr_assert_str_eq(trace_text(), "sleep ETIMEDOUT, sleep ETIMEDOUT, expired, nap 0");
}

static void *
inner_generator(void *argument)
{
	struct hub_timeout scope;

	/* Open across a yield: it is no business of who takes the value. */
	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	hub_yield(NULL);
	hub_timeout_stop(&scope);
	return argument;
}

static void *
outer_generator(void *argument)
{
	struct hub_generator *inner = hub_generator_new(inner_generator, NULL);
	void *value;

	hub_generator_next(inner, &value);
	trace_call("nap", hub_sleep(20 * HUB_MILLISECOND));
	hub_generator_free(inner);
	return argument;
}

static void *
pipeline_body(void *argument)
{
	struct hub_generator *outer = hub_generator_new(outer_generator, argument);
	void *value;

	hub_generator_next(outer, &value);
	hub_generator_free(outer);
	return NULL;
}

Test(timeout, a_scope_in_a_generator_does_not_reach_its_consumer)
{
	in_hub(pipeline_body, NULL);
	cr_assert_str_eq(trace_text(), "nap 0");
}

static void *
never_yields(void *argument)
{
	int64_t *end = argument;

	while (hub_sleep(0) == 0 && hub_now() < *end)
		continue;
	return NULL;
}

static void *
endless_body(void *argument)
{
	int64_t end = hub_now() + 5 * HUB_SECOND;
	struct hub_generator *generator = hub_generator_new(never_yields, &end);
	struct hub_timeout scope;
	void *value;

	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	hub_generator_next(generator, &value);
	trace_whether("expired", hub_timeout_stop(&scope));
	trace_whether("before its end", hub_now() < end);
	hub_generator_free(generator);
	return argument;
}

Test(timeout, reaches_a_generator_that_never_suspends)
{
	in_hub(endless_body, NULL);
	cr_assert_str_eq(trace_text(), "expired, before its end");
}
