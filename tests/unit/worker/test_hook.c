#include "worker/hook.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/worker/starved.h"
#include "worker/thread.h"

static struct worker_memo memo;
static struct worker_row row;
static struct worker_heritage heritage;
static struct worker_thread thread;

static const char *
succeed(void *unused)
{
	(void)unused;
	trace_say("%s runs", memo_hook_names[memo_running(&memo)]);
	return hub_sleep(HUB_MILLISECOND) == 0 ? NULL : "killed";
}

static const char *
fail(void *unused)
{
	(void)unused;
	return hubbub_why("no %s", "store");
}

static const char *
wait_for_ever(void *unused)
{
	(void)unused;
	hub_sleep(HUB_FOREVER);
	trace_say("is killed");
	return "killed";
}

static int64_t
until(const void *time)
{
	return *(const int64_t *)time;
}

static bool has_succeeded;

static void *
start(void *time)
{
	struct call_limit limit = {until, time, &thread.command};

	has_succeeded = hook_start(&thread, MEMO_WORKER_START, limit);
	return NULL;
}

/* Runs worker_start until that time, and returns whether it has succeeded. */
static bool
starts(hubbub_hook *hook, int64_t time)
{
	memo = (struct worker_memo){0};
	heritage = (struct worker_heritage){
		.threads = 1, .rows = &row, .memo = &memo, .hooks = {.worker_start = hook}};
	cr_assert_eq(thread_init(&thread, &heritage, 0, NULL), 0);
	hub_event_init(&thread.command);
	in_hub(start, &time);
	thread_fini(&thread);
	cr_assert_eq(memo_running(&memo), MEMO_HOOK_MAX);
	return has_succeeded;
}

Test(hook, that_is_not_there_succeeds)
{
	cr_assert(starts(NULL, 0));
}

Test(hook, may_wait_and_is_named_meanwhile)
{
	cr_assert(starts(succeed, HUB_FOREVER));
	EXPECT_TRACE("worker_start runs");
	cr_assert_null(memo_why(&memo));
}

Test(hook, that_fails_leaves_its_text)
{
	cr_assert_not(starts(fail, HUB_FOREVER));
	cr_assert_str_eq(memo_why(&memo), "worker_start of worker 0: no store");
}

static const char *
fail_without_a_text(void *unused)
{
	(void)unused;
	return "";
}

Test(hook, that_fails_without_a_text_fails)
{
	cr_assert_not(starts(fail_without_a_text, HUB_FOREVER));
	cr_assert_str_eq(memo_why(&memo), "worker_start of worker 0: it gives no reason");
}

Test(hook, whose_time_is_over_is_killed_and_leaves_no_text)
{
	cr_assert_not(starts(wait_for_ever, hub_now() + HUB_SECOND));
	EXPECT_TRACE("is killed");
	cr_assert_null(memo_why(&memo), "the worker is to leave: nobody asks");
}

Test(hook, whose_time_is_over_before_does_not_begin)
{
	cr_assert_not(starts(succeed, 0));
	EXPECT_TRACE("");
}

Test(hook, has_a_text_that_is_cut_when_it_is_too_long)
{
	char text[2 * MEMO_WHY_SIZE];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	cr_assert_eq(strlen(hubbub_why("%s", text)), MEMO_WHY_SIZE - 1);
	memo = (struct worker_memo){0};
	memo_fail(&memo, "%s", text);
	memo_fail(&memo, "the first text counts");
	cr_assert_eq(strlen(memo_why(&memo)), MEMO_WHY_SIZE - 1);
	cr_assert_eq(*memo_why(&memo), 'a');
}

#ifdef STARVED_IS_POSSIBLE

static void *
begin_without_memory(void *unused)
{
	trace_whether("starved", starved_begin());
	trace_whether("begun", hook_begin_hub(&thread));
	starved_end();
	return unused;
}

/* Or hub_start would have run, and hub_stop would not. */
Test(hook, of_the_start_does_not_run_without_memory_for_that_of_the_drain)
{
	hub_watchdog(0);
	memo = (struct worker_memo){0};
	heritage = (struct worker_heritage){.threads = 1,
		.rows = &row,
		.memo = &memo,
		.hooks = {.hub_start = succeed, .draining = succeed}};
	cr_assert_eq(thread_init(&thread, &heritage, 0, NULL), 0);
	in_hub(begin_without_memory, NULL);
	thread_fini(&thread);
	EXPECT_TRACE("starved, not begun");
	cr_assert_str_eq(memo_why(&memo), "no memory for a coroutine");
}

#endif
