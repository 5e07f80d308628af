/* A hub runs: how it begins and ends, what it counts, and what is a deadlock. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
return_argument(void *argument)
{
	return argument;
}

Test(run, run_gives_the_result_of_the_first_coroutine)
{
	int object;
	void *result = NULL;

	cr_assert_eq(hub_run(return_argument, &object, &result), 0);
	cr_assert_eq(result, &object);
}

static void *
run_again_body(void *argument)
{
	trace_call("run", hub_run(return_argument, NULL, NULL));
	return argument;
}

Test(run, a_hub_inside_a_hub_is_refused)
{
	in_hub(run_again_body, NULL);
	cr_assert_str_eq(trace_text(), "run EBUSY");
}

Test(run, options_out_of_range_are_refused)
{
	struct hub_options small = {.stack_size = 1024};
	struct hub_options strange = {.backend = 77};

	cr_assert_eq(hub_run_with(&small, return_argument, NULL, NULL), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(hub_run_with(&strange, return_argument, NULL, NULL), -1);
	cr_assert_eq(errno, EINVAL);
}

static void *
say_sleep(void *argument)
{
	trace_call(argument, hub_sleep(HUB_FOREVER));
	return NULL;
}

static void *
leave_others_body(void *argument)
{
	hub_spawn(say_sleep, "first");
	hub_spawn(say_sleep, "second");
	hub_spawn(say_sleep, "third");
	hub_sleep(0);
	return argument;
}

Test(run, when_the_first_coroutine_ends_the_others_are_killed)
{
	in_hub(leave_others_body, NULL);
	cr_assert_str_eq(trace_text(), "first ECANCELED, second ECANCELED, third ECANCELED");
}

static void *
spawn_late(void *argument)
{
	hub_sleep(HUB_FOREVER);
	trace_pointer("spawn", hub_spawn(return_argument, NULL));
	return argument;
}

static void *
spawn_late_body(void *argument)
{
	hub_spawn(spawn_late, argument);
	hub_sleep(0);
	return NULL;
}

Test(run, an_ending_hub_spawns_nothing)
{
	in_hub(spawn_late_body, NULL);
	cr_assert_str_eq(trace_text(), "spawn ECANCELED");
}

static void *
deadlock_body(void *argument)
{
	struct hub_event never = {0};

	trace_call("wait", hub_event_wait(&never));
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	/* The hub goes on after a deadlock. */
	trace_call("nap", hub_sleep(HUB_MILLISECOND));
	return argument;
}

Test(run, waiting_for_nothing_is_a_deadlock_and_not_a_hang)
{
	in_hub(deadlock_body, NULL);
	cr_assert_str_eq(trace_text(), "wait EDEADLK, sleep EDEADLK, nap 0");
}

static void *
wait_for_ever(void *argument)
{
	struct hub_event *never = argument;

	hub_event_wait(never);
	return NULL;
}

static void *
join_deadlock_body(void *argument)
{
	/* Outlives this coroutine, as the one that waits for it does. */
	static struct hub_event never;
	struct hub_coroutine *other = hub_spawn(wait_for_ever, &never);

	trace_call("join", hub_join(other, NULL));
	return argument;
}

Test(run, joining_one_that_never_ends_is_a_deadlock)
{
	in_hub(join_deadlock_body, NULL);
	cr_assert_str_eq(trace_text(), "join EDEADLK");
}

static void *
switched_child(void *argument)
{
	struct hub_event never = {0};

	trace_call("wait", hub_event_wait(&never));
	return argument;
}

static void *
raw_deadlock_body(void *argument)
{
	struct hub_coroutine *raw = hub_new(switched_child);

	hub_switch(raw, argument);
	hub_free(raw);
	return NULL;
}

Test(run, a_deadlock_reaches_the_raw_coroutine_that_main_switched_to)
{
	in_hub(raw_deadlock_body, NULL);
	cr_assert_str_eq(trace_text(), "wait EDEADLK");
}

static void *
count_body(void *argument)
{
	int pair[2];
	char buffer[16];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_send(pair[0], "hello", 5, 0);
	hub_recv(pair[1], buffer, sizeof buffer, 0);
	hub_sleep(HUB_MILLISECOND);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(run, counters_are_kept_where_the_options_say)
{
	struct hub_counters counters = {0};
	struct hub_options options = {.counters = &counters, .backend = HUB_BACKEND_POLL};

	cr_assert_eq(hub_run_with(&options, count_body, NULL, NULL), 0);
	cr_assert_eq(counters.bytes_sent, 5);
	cr_assert_eq(counters.bytes_received, 5);
	cr_assert_gt(counters.polls, 0);
	cr_assert_eq(counters.busy_since, 0, "the hub has ended");
}

static void *
idle_body(void *argument)
{
	struct hub_event never = {0};
	struct hub_timeout scope;

	hub_mailbox();
	hub_timeout_start(&scope, 300 * HUB_MILLISECOND);
	hub_event_wait(&never);
	hub_timeout_stop(&scope);
	return argument;
}

Test(run, a_hub_that_waits_for_its_mailbox_only_uses_no_cpu)
{
	struct hub_counters counters = {0};
	struct hub_options options = {.counters = &counters};

	cr_assert_eq(hub_run_with(&options, idle_body, NULL, NULL), 0);
	cr_assert_lt(counters.polls, 20);
}

/* ---- idle and due ---- */

struct turns {
	int yields, idle_at;
};

static void *
yield_often(void *argument)
{
	struct turns *turns = argument;

	for (int i = 0; i < 50; i++) {
		turns->yields++;
		hub_sleep(0);
	}
	return NULL;
}

static void *
until_idle_body(void *argument)
{
	struct turns *turns = argument;

	hub_detach(hub_spawn(yield_often, turns));
	hub_idle();
	turns->idle_at = turns->yields;
	return NULL;
}

Test(run, idle_waits_until_nobody_else_is_runnable)
{
	struct turns turns = {0};

	in_hub(until_idle_body, &turns);
	cr_assert_eq(turns.idle_at, 50);
}

/* ---- who is told of a deadlock ---- */

struct deadlock {
	struct hub_event event;
	int main_error, other_error;
	bool has_started;
};

static void *
wait_for_event(void *argument)
{
	struct deadlock *deadlock = argument;

	deadlock->other_error = hub_event_wait(&deadlock->event) == -1 ? errno : 0;
	return NULL;
}

static void *
note_start(void *argument)
{
	((struct deadlock *)argument)->has_started = true;
	return NULL;
}

static void *
told_body(void *argument)
{
	struct deadlock *deadlock = argument;
	struct hub_coroutine *other = hub_spawn(wait_for_event, deadlock);
	struct hub_coroutine *later = hub_spawn_later(HUB_FOREVER, note_start, deadlock);

	deadlock->main_error = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	hub_event_set(&deadlock->event);
	hub_join(other, NULL);
	hub_kill(later);
	hub_join(later, NULL);
	return NULL;
}

Test(run, of_a_deadlock_only_the_first_coroutine_is_told)
{
	struct deadlock deadlock = {0};

	in_hub(told_body, &deadlock);
	cr_assert_eq(deadlock.main_error, EDEADLK);
	cr_assert_eq(deadlock.other_error, 0);
	cr_assert_not(deadlock.has_started);
}

/* ---- coroutines that a run leaves ---- */

static struct hub_event never, at_an_end;

static void
set_at_an_end(void *unused)
{
	(void)unused;
	hub_event_set(&at_an_end);
}

/* Neither a kill nor a deadlock ends it. */
static void *
wait_stubbornly(void *event)
{
	struct hub_timeout shield;

	if (event == &never)
		hub_defer(set_at_an_end, NULL);
	hub_shield_start(&shield);
	while (hub_event_wait(event) != 0)
		continue;
	trace_say("it was woken");
	hub_shield_stop(&shield);
	return NULL;
}

static void *
leave_two_body(void *argument)
{
	hub_detach(hub_spawn(wait_stubbornly, &never));
	hub_detach(hub_spawn(wait_stubbornly, &at_an_end));
	hub_sleep(0);
	return argument;
}

/* What the first one has deferred sets the event that the second one waits for. */
Test(run, what_is_called_as_one_is_freed_wakes_no_other)
{
	in_hub(leave_two_body, NULL);
	in_hub(return_argument, NULL);
	cr_assert_str_empty(trace_text());
}
