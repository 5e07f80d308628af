/* Work for other threads: which thread makes it, how many at once, and what a kill takes back. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct record {
	pthread_t caller, runner;
	void *result;
	atomic_int runs, running, highest;
	int ends;
	bool has_deep;
};

static struct record *current;

static void
sleep_ms(long milliseconds)
{
	struct timespec pause = {0, milliseconds * 1000000};

	nanosleep(&pause, NULL);
}

static void *
note_thread(void *argument)
{
	current->runner = pthread_self();
	return argument;
}

static void *
nested(void *argument)
{
	trace_call("nested", hub_offload(note_thread, argument, &current->result));
	return argument;
}

static void *
offload_body(void *argument)
{
	current = argument;
	current->caller = pthread_self();
	trace_call("offload", hub_offload(note_thread, current, &current->result));
	trace_whether("another thread", !pthread_equal(current->caller, current->runner));
	/* From one of those threads it runs at once. */
	hub_offload(nested, "nested", NULL);
	return NULL;
}

Test(offload, runs_in_another_thread_and_nested_in_the_same)
{
	struct record record = {0};

	in_hub(offload_body, &record);
	cr_assert_str_eq(trace_text(), "offload 0, another thread, nested 0");
	cr_assert_str_eq(record.result, "nested");
}

static void *
count_running(void *argument)
{
	int running = atomic_fetch_add(&current->running, 1) + 1;

	if (running > current->highest)
		current->highest = running;
	sleep_ms(20);
	atomic_fetch_sub(&current->running, 1);
	atomic_fetch_add(&current->runs, 1);
	return argument;
}

static void *
offload_one(void *argument)
{
	void *result = NULL;

	if (hub_offload(count_running, argument, &result) == 0 && result == argument)
		current->ends++;
	else
		trace_call(argument, -1);
	return NULL;
}

static void *
limit_body(void *argument)
{
	static char numbers[12][12];
	struct hub_coroutine *coroutines[12];

	current = argument;
	for (int i = 0; i < 12; i++) {
		snprintf(numbers[i], sizeof numbers[i], "%d", i);
		coroutines[i] = hub_spawn(offload_one, numbers[i]);
	}
	for (int i = 0; i < 12; i++)
		hub_join(coroutines[i], NULL);
	return NULL;
}

Test(offload, only_so_many_threads_and_each_result_to_its_caller)
{
	struct record record = {0};

	setenv("HUBBUB_OFFLOAD_THREADS", "3", 1);
	in_hub(limit_body, &record);
	cr_assert_eq(record.ends, 12, "failed: %s", trace_text());
	cr_assert_eq(record.highest, 3);
}

static void *
kill_body(void *argument)
{
	struct hub_coroutine *one, *two;

	current = argument;
	one = hub_spawn(offload_one, "the running one");
	two = hub_spawn(offload_one, "the waiting one");
	while (current->running == 0)
		hub_sleep(HUB_MILLISECOND);
	/* The first one runs and is awaited; the second waits its turn and is taken back. */
	hub_kill(one);
	hub_kill(two);
	hub_join(one, NULL);
	hub_join(two, NULL);
	return NULL;
}

Test(offload, a_kill_takes_back_what_has_not_begun_and_awaits_what_has)
{
	struct record record = {0};

	setenv("HUBBUB_OFFLOAD_THREADS", "1", 1);
	in_hub(kill_body, &record);
	cr_assert_eq(record.runs, 1);
	cr_assert_eq(record.ends, 1);
	cr_assert_str_eq(trace_text(), "the waiting one ECANCELED");
}

static void *
deep(void *argument)
{
	volatile char large[1024 * 1024];

	memset((char *)large, 1, sizeof large);
	current->has_deep = large[77] == 1;
	trace_call("yield", hub_sleep(0));
	return argument;
}

static void *
deep_body(void *argument)
{
	current = argument;
	trace_call("call", hub_on_thread_stack(deep, "deep", &current->result));
	return NULL;
}

Test(offload, the_threads_own_stack_is_big_and_must_not_block)
{
	struct record record = {0};

	in_hub(deep_body, &record);
	cr_assert(record.has_deep);
	cr_assert_str_eq(trace_text(), "yield EPERM, call 0");
	cr_assert_str_eq(record.result, "deep");
	cr_assert_eq(hub_on_thread_stack(deep, NULL, NULL), -1);
	cr_assert_eq(errno, EPERM);
}
