/* Keepers of a hub without a worker, whose commands the test gives. */
#include "worker/keeper.h"

#include <string.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/worker/holder.h"
#include "tests/unit/worker/starved.h"
#include "worker/counters.h"

static struct worker_memo memo;
static struct worker_heritage heritage = {.index = 7, .memo = &memo};
static struct worker_thread thread;
static const char *heard; /* what was logged */

static void
command(enum thread_command what)
{
	thread.commanded |= 1U << what;
	thread.has_served = what == THREAD_CLOSE || thread.has_served;
	hub_event_set(&thread.command);
	/* Those who wait for it run, and those whom they start. */
	for (int turn = 0; turn < 20; turn++)
		hub_sleep(0);
}

/* Gives the hub the background functions, runs body, and ends the hub. */
static void
keep(const struct hubbub_background *background, unsigned index, hub_fn *body)
{
	struct counters *counters;
	int file;

	counters = counters_new(&file);
	heritage.background = background;
	thread = (struct worker_thread){.heritage = &heritage, .index = index};
	complaint_listen();
	in_hub(body, NULL);
	heard = complaint_heard();
	cr_assert_eq(thread.keeping, 0);
	keeper_free(&thread);
	counters_free(&counters);
	close(file);
}

/* ---- functions ---- */

static const char *
last(void *unused)
{
	(void)unused;
	trace_say("%s begins", hub_name(hub_current()));
	hub_sleep(HUB_FOREVER);
	trace_say("%s ends", hub_name(hub_current()));
	return "killed";
}

static const char *
be_done(void *unused)
{
	(void)unused;
	trace_say("%s is done", hub_name(hub_current()));
	return NULL;
}

static const char *
fail(void *unused)
{
	(void)unused;
	trace_say("%s fails", hub_name(hub_current()));
	return hubbub_why("no %s", "store");
}

/* Ends a while after it was killed. */
static const char *
last_too_long(void *unused)
{
	hub_sleep(HUB_FOREVER);
	hub_catch_kill();
	hub_sleep(HUB_SECOND / 10);
	trace_say("ends late");
	return unused;
}

/* ---- lives ---- */

static void *
live(void *unused)
{
	trace_whether("begun", keeper_begin(&thread));
	command(THREAD_BEGIN);
	trace_say("accepts");
	command(THREAD_ACCEPT);
	trace_say("drains");
	command(THREAD_HANDOVER);
	trace_say("closes");
	command(THREAD_CLOSE);
	keeper_end(&thread);
	return unused;
}

static const struct hubbub_background of_each_kind[] = {
	{.name = "hub's", .run = last, .where = HUBBUB_EACH_HUB},
	{.name = "worker's", .run = last, .where = HUBBUB_EACH_WORKER},
	{.name = "server's", .run = last, .where = HUBBUB_ONE_OF_SERVER},
	{0},
};

Test(keeper, calls_while_its_hub_serves_and_the_one_of_the_server_while_it_accepts)
{
	keep(of_each_kind, 0, live);
	EXPECT_TRACE("begun, accepts, hub's begins, worker's begins, server's begins, "
		     "drains, server's ends, closes, hub's ends, worker's ends");
	cr_assert_not_null(strstr(heard, "background server's of worker 7 begins"), "%s", heard);
	cr_assert_null(strstr(heard, "killed"), "%s", heard);
}

Test(keeper, of_a_hub_that_is_not_the_first_calls_what_is_each_hubs)
{
	keep(of_each_kind, 1, live);
	EXPECT_TRACE("begun, accepts, hub's begins, drains, closes, hub's ends");
}

Test(keeper, is_not_needed_without_background_functions)
{
	static const struct hubbub_background none[] = {{0}};

	keep(NULL, 0, live);
	EXPECT_TRACE("begun, accepts, drains, closes");
	keep(none, 0, live);
	EXPECT_TRACE("begun, accepts, drains, closes");
}

static void *
leave_before_it_accepts(void *unused)
{
	keeper_begin(&thread);
	command(THREAD_DRAIN);
	command(THREAD_ACCEPT);
	command(THREAD_CLOSE);
	keeper_end(&thread);
	return unused;
}

Test(keeper, of_a_hub_that_leaves_before_it_has_accepted_calls_nothing)
{
	keep(of_each_kind, 0, leave_before_it_accepts);
	EXPECT_TRACE("");
}

static void *
live_for_four_seconds(void *unused)
{
	keeper_begin(&thread);
	command(THREAD_ACCEPT);
	hub_sleep(4 * HUB_SECOND);
	command(THREAD_CLOSE);
	keeper_end(&thread);
	return unused;
}

/* After a second, and after two more; the next pause of four seconds does not hold up the end. */
Test(keeper, calls_again_what_has_failed_after_pauses_that_double)
{
	static const struct hubbub_background fails[] = {{.name = "it", .run = fail}, {0}};

	keep(fails, 3, live_for_four_seconds);
	EXPECT_TRACE("it fails, it fails, it fails");
	cr_assert_not_null(
		strstr(heard,
			"background it of hub 3 of worker 7: no store; calling it again in 1 s"),
		"%s", heard);
	cr_assert_not_null(strstr(heard, "no store; calling it again in 2 s"), "%s", heard);
	cr_assert_not_null(strstr(heard, "no store; calling it again in 4 s"), "%s", heard);
}

static void *
live_late(void *unused)
{
	keeper_begin(&thread);
	command(THREAD_ACCEPT);
	hub_sleep(3 * HUB_SECOND / 2);
	/* Another process would have to wait. */
	trace_whether("free", holder_start("it") != 0);
	command(THREAD_CLOSE);
	keeper_end(&thread);
	return unused;
}

Test(keeper, calls_once_what_is_done_and_keeps_its_lease)
{
	static const struct hubbub_background is_done[] = {
		{.name = "it", .run = be_done, .where = HUBBUB_ONE_OF_SERVER}, {0}};

	keep(is_done, 0, live_late);
	EXPECT_TRACE("it is done, not free");
}

static void *
live_beside_a_holder(void *unused)
{
	pid_t holder = holder_start("server's");

	keeper_begin(&thread);
	command(THREAD_ACCEPT);
	hub_sleep(HUB_SECOND / 2);
	trace_say("the holder dies");
	holder_end(holder);
	hub_sleep(HUB_SECOND);
	command(THREAD_HANDOVER);
	holder = holder_start("server's");
	trace_whether("free", holder != 0);
	holder_end(holder);
	command(THREAD_CLOSE);
	keeper_end(&thread);
	return unused;
}

Test(keeper, waits_while_another_process_has_the_lease_and_gives_it_back_when_it_leaves)
{
	keep(&of_each_kind[2], 0, live_beside_a_holder);
	EXPECT_TRACE("the holder dies, server's begins, server's ends, free");
}

static void *
leave_too_soon(void *unused)
{
	pid_t holder;

	keeper_begin(&thread);
	command(THREAD_ACCEPT);
	command(THREAD_HANDOVER);
	holder = holder_start("it");
	trace_whether("free", holder != 0);
	command(THREAD_CLOSE);
	command(THREAD_STOP);
	keeper_end(&thread);
	return unused;
}

Test(keeper, of_a_function_that_does_not_end_keeps_the_lease_and_says_so)
{
	static const struct hubbub_background lasts[] = {
		{.name = "it", .run = last_too_long, .where = HUBBUB_ONE_OF_SERVER}, {0}};

	keep(lasts, 0, leave_too_soon);
	EXPECT_TRACE("not free, ends late");
	cr_assert_not_null(
		strstr(heard, "background it of worker 7 has not returned in time"), "%s", heard);
}

#ifdef STARVED_IS_POSSIBLE

static void *
begin_without_memory(void *unused)
{
	trace_whether("starved", starved_begin());
	trace_whether("begun", keeper_begin(&thread));
	starved_end();
	command(THREAD_CLOSE);
	keeper_end(&thread);
	return unused;
}

Test(keeper, that_cannot_be_made_lets_its_worker_fail_and_says_why)
{
	hub_watchdog(0);
	keep(of_each_kind, 0, begin_without_memory);
	EXPECT_TRACE("starved, not begun");
	cr_assert_str_eq(memo_why(&memo), "no memory for background functions");
}

static void *
accept_without_memory(void *unused)
{
	keeper_begin(&thread);
	trace_whether("starved", starved_begin());
	command(THREAD_ACCEPT);
	starved_end();
	trace_say("there is memory");
	hub_sleep(3 * HUB_SECOND / 2);
	command(THREAD_CLOSE);
	keeper_end(&thread);
	return unused;
}

Test(keeper, without_memory_for_a_call_tries_again)
{
	hub_watchdog(0);
	keep(&of_each_kind[2], 0, accept_without_memory);
	EXPECT_TRACE("starved, there is memory, server's begins, server's ends");
	cr_assert_not_null(strstr(heard, "no memory; calling it again in 1 s"), "%s", heard);
}

#endif
