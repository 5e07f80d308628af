/* Pools: how many run at once, maps in order, and what is left of those that fail. */
#include <errno.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_pool pool;
static int running, highest, ends; /* of work; highest at once */

static void *
work(void *argument)
{
	if (++running > highest)
		highest = running;
	hub_sleep(HUB_MILLISECOND);
	running--;
	ends++;
	return argument;
}

/* What is spawned beyond those that were asked for. */
static int extra;

static void *
bound_body(void *argument)
{
	hub_pool_init(&pool, 3);
	for (int i = 0; i < 10; i++)
		hub_pool_spawn(&pool, work, NULL);
	while (hub_pool_try_spawn(&pool, work, NULL) != NULL)
		extra++;
	trace_pointer("try", hub_pool_try_spawn(&pool, work, NULL));
	trace_say("%zu run, %u free", hub_pool_count(&pool), hub_pool_free_count(&pool));
	trace_call("wait", hub_pool_wait(&pool));
	trace_call("join", hub_pool_join(&pool));
	trace_say("%u free", hub_pool_free_count(&pool));
	hub_pool_spawn(&pool, work, NULL);
	hub_pool_kill(&pool);
	hub_pool_join(&pool);
	trace_say("%u free", hub_pool_free_count(&pool));
	return argument;
}

Test(pool, only_so_many_run_and_slots_come_back)
{
	in_hub(bound_body, NULL);
	cr_assert_str_eq(trace_text(), "try EAGAIN, 3 run, 0 free, wait 0, join 0, 3 free, 3 free");
	cr_assert_eq(highest, 3);
	cr_assert_eq(ends, 10 + extra);
}

static void *
square(void *argument)
{
	intptr_t number = (intptr_t)argument;

	/* Later ones end first. */
	hub_sleep((10 - number) * HUB_MILLISECOND);
	if (number == 3)
		return hub_fail(ERANGE, "no %ld", (long)number);
	return (void *)(number * number);
}

static void *
inner_apply(void *argument)
{
	void *result = NULL;
	struct hub_failure failure;

	/* Of the same, full, pool. */
	trace_call("apply inside", hub_pool_apply(&pool, square, argument, &result, &failure));
	return result;
}

static void *
map_body(void *argument)
{
	void *arguments[6], *results[6], *result;
	struct hub_failure failure;

	for (intptr_t i = 0; i < 6; i++)
		arguments[i] = (void *)i;
	hub_pool_init(&pool, 4);
	trace_call("map", hub_pool_map(&pool, square, arguments, 6, results, &failure));
	trace_error("code", failure.code);
	trace_say("'%s'", failure.text);
	for (int i = 0; i < 6; i++)
		trace_say("%ld", (long)(intptr_t)results[i]);
	trace_call("map of less", hub_pool_map(&pool, square, arguments, 3, results, &failure));
	for (int i = 0; i < 3; i++)
		trace_say("%ld", (long)(intptr_t)results[i]);
	hub_pool_init(&pool, 1);
	trace_call("apply", hub_pool_apply(&pool, inner_apply, (void *)5, &result, &failure));
	trace_say("%ld", (long)(intptr_t)result);
	return argument;
}

Test(pool, map_keeps_the_order_and_tells_the_first_failure)
{
	in_hub(map_body, NULL);
	cr_assert_str_eq(trace_text(),
		"map ERANGE, code ERANGE, 'no 3', 0, 1, 4, 0, 16, 25, map of less 0, 0, 1, 4, "
		"apply inside 0, apply 0, 25");
}

static void *
interrupted_body(void *argument)
{
	void *arguments[3] = {0}, *results[3];
	struct hub_failure failure;
	struct hub_timeout scope;

	hub_pool_init(&pool, 2);
	hub_timeout_start(&scope, HUB_MILLISECOND / 2);
	trace_call("map", hub_pool_map(&pool, work, arguments, 3, results, &failure));
	trace_whether("expired", hub_timeout_stop(&scope));
	trace_error("code", failure.code);
	trace_say("%zu run", hub_pool_count(&pool));
	return argument;
}

Test(pool, a_map_that_times_out_leaves_nothing_running)
{
	in_hub(interrupted_body, NULL);
	cr_assert_str_eq(trace_text(), "map ETIMEDOUT, expired, code 0, 0 run");
}

/* ---- what has failed leaves nothing ---- */

/* Fails, and returns something all the same. */
static void *
fail_with_value(void *argument)
{
	hub_fail(EIO, "this one fails");
	return argument;
}

static void
say_left(const char *name, const void *result)
{
	trace_say("%s: %s", name, result != NULL ? (const char *)result : "nothing");
}

static void *
map_in_pool(void *argument)
{
	void *arguments[2] = {argument, argument}, *results[2] = {"stale", "stale"};
	void *applied = "stale";
	struct hub_failure failure;

	trace_call("map", hub_pool_map(&pool, fail_with_value, arguments, 2, results, &failure));
	trace_error("code", failure.code);
	say_left("the first", results[0]);
	say_left("the other", results[1]);
	trace_call("apply", hub_pool_apply(&pool, fail_with_value, argument, &applied, &failure));
	trace_error("code", failure.code);
	say_left("it", applied);
	return NULL;
}

static void *
map_when_killed(void *argument)
{
	void *mapped = "stale", *applied = "stale";
	struct hub_failure failure;

	hub_kill(hub_current());
	trace_call("map when killed", hub_pool_map(&pool, square, &argument, 1, &mapped, &failure));
	say_left("it", mapped);
	trace_call(
		"apply when killed", hub_pool_apply(&pool, square, argument, &applied, &failure));
	say_left("it", applied);
	return NULL;
}

static void *
stale_body(void *argument)
{
	hub_pool_init(&pool, 3);
	hub_pool_spawn(&pool, map_in_pool, "value");
	hub_pool_join(&pool);
	hub_join(hub_spawn(map_when_killed, NULL), NULL);
	return argument;
}

Test(pool, leaves_no_result_of_what_has_failed)
{
	in_hub(stale_body, NULL);
	cr_assert_str_eq(trace_text(),
		"map EIO, code EIO, the first: nothing, the other: nothing, apply EIO, "
		"code EIO, it: nothing, map when killed ECANCELED, it: nothing, "
		"apply when killed ECANCELED, it: nothing");
}

/* ---- failures that nobody asks for ---- */

static void *
take_no_failure(void *argument)
{
	void *arguments[] = {(void *)1, (void *)2}, *results[2];

	hub_pool_init(&pool, 2);
	trace_call("get", hub_get(hub_spawn(fail_with_value, NULL), NULL, NULL));
	trace_call("map", hub_pool_map(&pool, fail_with_value, arguments, 2, results, NULL));
	trace_call("apply", hub_pool_apply(&pool, fail_with_value, NULL, NULL, NULL));
	return argument;
}

Test(pool, failures_need_not_be_taken)
{
	in_hub(take_no_failure, NULL);
	cr_assert_str_eq(trace_text(), "get EIO, map EIO, apply EIO");
}
