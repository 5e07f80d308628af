/* Kills: what they end, when they are lost and when they are not, and how a coroutine catches them,
 * is shielded from them, or is interrupted instead. */
#include <errno.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
give_back(void *argument)
{
	trace_say("it runs");
	return argument;
}

static void *
sleep_for_ever(void *argument)
{
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	return argument;
}

static void *
kill_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(sleep_for_ever, argument);
	void *result = NULL;

	hub_sleep(0);
	trace_call("kill", hub_kill(coroutine));
	trace_call("join", hub_join(coroutine, &result));
	trace_whether("its result", result == argument);
	return NULL;
}

Test(kill, a_kill_ends_a_blocking_call_with_ecanceled)
{
	int something;

	in_hub(kill_body, &something);
	cr_assert_str_eq(trace_text(), "kill 0, sleep ECANCELED, join 0, its result");
}

static void *
drive_one_that_sleeps(void *argument)
{
	struct hub_coroutine *raw = *(struct hub_coroutine **)argument;

	hub_set_parent(raw, hub_current());
	hub_switch(raw, NULL);
	return argument;
}

/* When the two sleeps below are over: far enough that both have begun by then. */
static int64_t due;

static void *
sleep_until_after_the_kill(void *argument)
{
	trace_call("sleep", hub_sleep(due + HUB_MILLISECOND - hub_now()));
	return argument;
}

static void *
kill_when_due(void *driver)
{
	hub_sleep(due - hub_now());
	hub_kill(driver);
	return NULL;
}

/* Both sleeps are over before either coroutine runs, and the one that kills was due first. */
static void *
kill_driver_body(void *argument)
{
	struct hub_coroutine *raw = hub_new(sleep_until_after_the_kill), *driver, *killer;

	due = hub_now() + 500 * HUB_MILLISECOND;
	driver = hub_spawn(drive_one_that_sleeps, &raw);
	killer = hub_spawn(kill_when_due, driver);
	hub_sleep(0);
	while (hub_now() < due + 10 * HUB_MILLISECOND)
		continue;
	hub_join(killer, NULL);
	hub_join(driver, NULL);
	hub_free(raw);
	return argument;
}

Test(kill, of_a_driver_is_told_to_a_sleeper_that_its_timer_has_woken)
{
	in_hub(kill_driver_body, NULL);
	cr_assert_str_eq(trace_text(), "sleep ECANCELED");
}

static void *
kill_unstarted_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(give_back, argument);
	void *result = argument;

	hub_kill(coroutine);
	trace_call("join", hub_join(coroutine, &result));
	trace_whether("a result", result != NULL);
	return NULL;
}

Test(kill, before_its_first_run_it_never_runs)
{
	int something;

	in_hub(kill_unstarted_body, &something);
	cr_assert_str_eq(trace_text(), "join 0, not a result");
}

static void *
fail_every_call(void *argument)
{
	struct hub_event event = {0};
	char byte;

	hub_kill(hub_current());
	trace_call("yield", hub_sleep(0));
	trace_call("yield again", hub_sleep(0));
	trace_call("event", hub_event_wait(&event));
	trace_call("recv", hub_recv(0, &byte, 1, 0));
	trace_call("wait", hub_wait_fd(0, 1));
	return argument;
}

static void *
kill_self_body(void *argument)
{
	hub_join(hub_spawn(fail_every_call, argument), NULL);
	return NULL;
}

Test(kill, a_kill_is_level_triggered)
{
	in_hub(kill_self_body, NULL);
	cr_assert_str_eq(trace_text(), "yield ECANCELED, yield again ECANCELED, event ECANCELED, "
				       "recv ECANCELED, wait ECANCELED");
}

/* One poll wakes a reader and two thieves, one of which runs before the reader in whatever order
 * that is: it takes the reader's data and kills it. The reader finds nothing, and must not wait
 * again. */
static struct {
	struct robbed {
		int fd, peer;
	} first, middle, last; /* the reader's in the middle */
	int error;
	bool robbed_in_time; /* the reader had not run yet */
	bool has_run;
	bool is_done;
	struct hub_coroutine *reader;
} robbery;

static void
open_robbed(struct robbed *robbed)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	*robbed = (struct robbed){.fd = pair[0], .peer = pair[1]};
}

static void
close_robbed(const struct robbed *robbed)
{
	hub_close(robbed->fd);
	hub_close(robbed->peer);
}

static void *
read_robbed(void *argument)
{
	char byte;

	robbery.error = hub_recv(robbery.middle.fd, &byte, 1, 0) == -1 ? errno : 0;
	robbery.has_run = true;
	return argument;
}

static void *
rob(void *argument)
{
	const struct robbed *own = argument;
	char byte;

	if (hub_recv(own->fd, &byte, 1, 0) != 1 || robbery.is_done)
		return NULL;
	robbery.is_done = true;
	robbery.robbed_in_time =
		!robbery.has_run && hub_recv(robbery.middle.fd, &byte, 1, MSG_DONTWAIT) == 1;
	hub_kill(robbery.reader);
	return NULL;
}

static void *
robbery_body(void *argument)
{
	struct hub_coroutine *before, *after;

	open_robbed(&robbery.first);
	open_robbed(&robbery.middle);
	open_robbed(&robbery.last);
	before = hub_spawn(rob, &robbery.first);
	robbery.reader = hub_spawn(read_robbed, NULL);
	after = hub_spawn(rob, &robbery.last);
	/* All wait in the loop, then all become ready before it is polled again. */
	until_it_waits(before);
	until_it_waits(robbery.reader);
	until_it_waits(after);
	send(robbery.first.peer, "x", 1, 0);
	send(robbery.middle.peer, "x", 1, 0);
	send(robbery.last.peer, "x", 1, 0);
	hub_join(robbery.reader, NULL);
	hub_join(before, NULL);
	hub_join(after, NULL);
	close_robbed(&robbery.first);
	close_robbed(&robbery.middle);
	close_robbed(&robbery.last);
	return argument;
}

Test(kill, a_kill_between_the_wake_and_the_run_is_not_lost, .timeout = 10)
{
	if (in_world())
		cr_skip("few worlds call two ready descriptors in this order");
	robbery.error = -1;
	in_hub(robbery_body, NULL);
	cr_assert(robbery.robbed_in_time, "no thief ran before the reader");
	cr_assert_eq(robbery.error, ECANCELED);
}

static void *
blocking_generator(void *argument)
{
	trace_call(argument, hub_sleep(HUB_FOREVER));
	return NULL;
}

static void *
consume(void *argument)
{
	struct hub_generator *generator = hub_generator_new(blocking_generator, argument);
	void *value;

	hub_generator_next(generator, &value);
	hub_generator_free(generator);
	return NULL;
}

static void *
kill_consumer_body(void *argument)
{
	struct hub_coroutine *consumer = hub_spawn(consume, "killed");

	hub_sleep(0);
	hub_kill(consumer);
	trace_call("join", hub_join(consumer, NULL));
	hub_spawn(consume, "at the hub's end");
	hub_sleep(0);
	return argument;
}

Test(kill, a_kill_reaches_the_generator_that_blocks_for_its_consumer)
{
	in_hub(kill_consumer_body, NULL);
	cr_assert_str_eq(trace_text(), "killed ECANCELED, join 0, at the hub's end ECANCELED");
}

/* ---- catching, shields, interrupts, reasons ---- */

static struct hub_event has_napped;

static void *
catching(void *argument)
{
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_whether("caught", hub_catch_kill());
	trace_whether("caught again", hub_catch_kill());
	trace_call("nap", hub_sleep(HUB_MILLISECOND));
	hub_event_set(&has_napped);
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	return argument;
}

static void *
catch_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(catching, argument);

	until_it_waits(coroutine);
	hub_kill(coroutine);
	hub_event_wait(&has_napped);
	until_it_waits(coroutine);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(kill, a_kill_can_be_caught_and_another_one_kills_again)
{
	in_hub(catch_body, NULL);
	cr_assert_str_eq(
		trace_text(), "sleep ECANCELED, caught, not caught again, nap 0, sleep ECANCELED");
}

static void *
shielded(void *argument)
{
	struct hub_timeout shield, inner;

	trace_call("sleep", hub_sleep(HUB_FOREVER));
	hub_shield_start(&shield);
	trace_call("shielded nap", hub_sleep(HUB_MILLISECOND));
	hub_timeout_start(&inner, HUB_MILLISECOND);
	trace_call("shielded sleep in a scope", hub_sleep(HUB_FOREVER));
	hub_timeout_stop(&inner);
	trace_call("shielded yield", hub_sleep(0));
	hub_shield_stop(&shield);
	trace_call("yield", hub_sleep(0));
	return argument;
}

static void *
shield_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(shielded, argument);

	hub_sleep(0);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(kill, a_shield_lets_a_killed_one_block_until_it_is_stopped)
{
	in_hub(shield_body, NULL);
	cr_assert_str_eq(trace_text(),
		"sleep ECANCELED, shielded nap 0, shielded sleep in a scope ETIMEDOUT, "
		"shielded yield 0, yield ECANCELED");
}

static void *
sleep_interrupted(void *argument)
{
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_call("nap", hub_sleep(HUB_MILLISECOND));
	return argument;
}

static void *
interrupt_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(sleep_interrupted, argument);

	trace_whether("interrupted before its run", hub_interrupt(coroutine));
	hub_sleep(0);
	trace_whether("interrupted", hub_interrupt(coroutine));
	trace_whether("interrupted twice", hub_interrupt(coroutine));
	hub_join(coroutine, NULL);
	return NULL;
}

Test(kill, an_interrupt_ends_one_wait)
{
	in_hub(interrupt_body, NULL);
	cr_assert_str_eq(trace_text(),
		"not interrupted before its run, interrupted, not interrupted twice, "
		"sleep EINTR, nap 0");
}

static void *
tell_reason(void *argument)
{
	trace_error("reason", hub_kill_reason());
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_error("reason", hub_kill_reason());
	trace_whether("caught", hub_catch_kill());
	trace_error("reason", hub_kill_reason());
	trace_call("sleep", hub_sleep(HUB_FOREVER));
	trace_error("reason", hub_kill_reason());
	return argument;
}

static void *
reason_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(tell_reason, argument);

	hub_sleep(0);
	hub_kill_for(coroutine, ENOSPC);
	hub_sleep(0);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(kill, for_a_reason)
{
	in_hub(reason_body, NULL);
	cr_assert_str_eq(trace_text(),
		"reason 0, sleep ECANCELED, reason ENOSPC, caught, reason ENOSPC, "
		"sleep ECANCELED, reason 0");
}
