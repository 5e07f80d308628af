/* Coroutines are spawned, named, joined, detached and asked what has become of them. Kills are in
 * test_coroutine_killed.c. */
#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
give_back(void *argument)
{
	return argument;
}

static void *
sleep_for_ever(void *argument)
{
	int *error = argument;

	*error = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	return argument;
}

static void *
join_body(void *argument)
{
	void *result = NULL;

	trace_call("join", hub_join(hub_spawn(give_back, argument), &result));
	trace_whether("the argument", result == argument);
	return NULL;
}

Test(coroutine, join_gives_the_result)
{
	int something;

	in_hub(join_body, &something);
	cr_assert_str_eq(trace_text(), "join 0, the argument");
}

static void *
say_twice(void *argument)
{
	trace_say("%s", (const char *)argument);
	hub_sleep(0);
	trace_say("%s again", (const char *)argument);
	return NULL;
}

static void *
order_body(void *argument)
{
	hub_detach(hub_spawn(say_twice, "a"));
	hub_detach(hub_spawn(say_twice, "b"));
	hub_detach(hub_spawn(say_twice, "c"));
	trace_say("spawned");
	for (int i = 0; i < 4; i++)
		hub_sleep(0);
	return argument;
}

Test(coroutine, spawn_does_not_switch_and_runs_first_in_first_out)
{
	in_hub(order_body, NULL);
	cr_assert_str_eq(trace_text(), "spawned, a, b, c, a again, b again, c again");
}

static void *
join_with_timeout_body(void *argument)
{
	int error;
	struct hub_coroutine *coroutine = hub_spawn(sleep_for_ever, &error);
	struct hub_timeout scope;

	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	trace_call("join", hub_join(coroutine, NULL));
	trace_whether("expired", hub_timeout_stop(&scope));
	hub_kill(coroutine);
	trace_call("join", hub_join(coroutine, NULL));
	return argument;
}

Test(coroutine, join_in_an_expired_scope_fails_and_can_be_repeated)
{
	in_hub(join_with_timeout_body, NULL);
	cr_assert_str_eq(trace_text(), "join ETIMEDOUT, expired, join 0");
}

static void *
refusals_body(void *argument)
{
	static int error;
	struct hub_coroutine *coroutine = hub_spawn(sleep_for_ever, &error);
	struct hub_coroutine *raw = hub_new(give_back);

	trace_call("join itself", hub_join(hub_current(), NULL));
	trace_call("join raw", hub_join(raw, NULL));
	trace_call("kill raw", hub_kill(raw));
	trace_call("detach", hub_detach(coroutine));
	trace_call("detach again", hub_detach(coroutine));
	trace_call("join detached", hub_join(coroutine, NULL));
	hub_free(raw);
	return argument;
}

Test(coroutine, join_and_detach_refuse_what_cannot_be)
{
	in_hub(refusals_body, NULL);
	cr_assert_str_eq(trace_text(), "join itself EDEADLK, join raw EINVAL, kill raw EINVAL, "
				       "detach 0, detach again EINVAL, join detached EINVAL");
}

static void *
names_body(void *argument)
{
	struct hub_coroutine *self = hub_current();

	trace_say("[%s]", hub_name(self));
	hub_set_name(self, "a name of more than thirty-one bytes is cut");
	trace_say("[%s]", hub_name(self));
	return argument;
}

Test(coroutine, names_are_copied_and_cut)
{
	in_hub(names_body, NULL);
	cr_assert_str_eq(trace_text(), "[main], [a name of more than thirty-one ]");
}

Test(coroutine, outside_a_hub_calls_fail_with_eperm)
{
	cr_assert_null(hub_current());
	cr_assert_null(hub_spawn(give_back, NULL));
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(hub_sleep(0), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_null(hub_mailbox());
	cr_assert_eq(errno, EPERM);
}

struct crowd {
	int size;
	int killed; /* as they were meant to be */
};

static void *
many_body(void *argument)
{
	struct crowd *crowd = argument;
	static struct hub_coroutine *coroutines[20000];
	static int errors[20000];

	for (int i = 0; i < crowd->size; i++)
		coroutines[i] = hub_spawn(sleep_for_ever, &errors[i]);
	hub_sleep(0);
	for (int i = 0; i < crowd->size; i++)
		hub_kill(coroutines[i]);
	for (int i = 0; i < crowd->size; i++)
		crowd->killed += hub_join(coroutines[i], NULL) == 0 && errors[i] == ECANCELED;
	return NULL;
}

Test(coroutine, twenty_thousand_are_parked_killed_and_joined, .timeout = 60)
{
	/* valgrind has room for so many mappings only. */
	struct crowd crowd = {.size = on_valgrind() ? 2000 : 20000};

	in_hub(many_body, &crowd);
	cr_assert_eq(crowd.killed, crowd.size);
}

static void *
main_is_not_joinable_body(void *argument)
{
	trace_call("detach", hub_detach(hub_current()));
	return argument;
}

Test(coroutine, the_first_one_cannot_be_detached)
{
	in_hub(main_is_not_joinable_body, NULL);
	cr_assert_str_eq(trace_text(), "detach EINVAL");
}

static void *
say_run(void *argument)
{
	trace_say("%s", (const char *)argument);
	return NULL;
}

static void *
later_body(void *argument)
{
	int64_t start = hub_now();
	struct hub_coroutine *soon = hub_spawn_later(5 * HUB_MILLISECOND, say_run, "soon");
	struct hub_coroutine *never = hub_spawn_later(60 * HUB_SECOND, say_run, "never");
	struct hub_coroutine *now = hub_spawn_later(0, say_run, "now");

	hub_join(soon, NULL);
	*(int64_t *)argument = hub_now() - start;
	hub_join(now, NULL);
	hub_kill(never);
	hub_join(never, NULL);
	return NULL;
}

Test(coroutine, spawn_later_waits_and_can_be_killed_before)
{
	int64_t elapsed = 0;

	in_hub(later_body, &elapsed);
	cr_assert_str_eq(trace_text(), "now, soon");
	cr_assert_geq(elapsed, 5 * HUB_MILLISECOND);
}

/* ---- what one is, without joining it ---- */

static void *
fail_at_once(void *argument)
{
	(void)argument;
	return hub_fail(EIO, "it fails");
}

static void
say_state(const char *name, const struct hub_coroutine *coroutine)
{
	trace_say("%s:%s%s%s", name, hub_has_started(coroutine) ? " started" : "",
		hub_is_done(coroutine) ? " done" : "",
		hub_has_succeeded(coroutine) ? " succeeded" : "");
}

static void *
states_body(void *argument)
{
	int error;
	struct hub_coroutine *returns = hub_spawn(give_back, NULL),
			     *fails = hub_spawn(fail_at_once, NULL),
			     *sleeps = hub_spawn(sleep_for_ever, &error),
			     *unstarted = hub_spawn(give_back, NULL);
	struct hub_failure failure;

	hub_kill(unstarted);
	say_state("before", returns);
	hub_sleep(0);
	say_state("returns", returns);
	say_state("fails", fails);
	say_state("sleeps", sleeps);
	say_state("unstarted", unstarted);
	hub_kill(sleeps);
	hub_sleep(0);
	say_state("killed", sleeps);
	hub_get(returns, NULL, &failure);
	hub_get(fails, NULL, &failure);
	hub_get(sleeps, NULL, &failure);
	hub_get(unstarted, NULL, &failure);
	return argument;
}

Test(coroutine, tells_whether_it_has_started_ended_and_succeeded)
{
	in_hub(states_body, NULL);
	cr_assert_str_eq(trace_text(),
		"before:, returns: started done succeeded, fails: started done, sleeps: started, "
		"unstarted: started done succeeded, killed: started done succeeded");
}

static void *
go_body(void *argument)
{
	trace_call("go", hub_go(say_run, "runs"));
	hub_sleep(0);
	return argument;
}

Test(coroutine, may_be_spawned_and_forgotten)
{
	in_hub(go_body, NULL);
	cr_assert_str_eq(trace_text(), "go 0, runs");
	errno = 0;
	cr_assert_eq(hub_go(say_run, "outside"), -1);
	cr_assert_eq(errno, EPERM);
}
