#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	_Atomic int reports;
	int64_t nanoseconds;
	char text[8192];
	int64_t busy;
	bool is_expected;
	bool is_awaited; /* the report */
};

static void
on_blocked(int64_t nanoseconds, const char *backtrace, void *context)
{
	struct record *record = context;

	if (record->reports == 0) {
		record->nanoseconds = nanoseconds;
		snprintf(record->text, sizeof record->text, "%s", backtrace);
	}
	record->reports++;
}

/* The CPU time of this thread. */
static int64_t
time_used(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return used.tv_sec * HUB_SECOND + used.tv_nsec;
}

/* Not inlined, to be seen in the backtrace. */
static __attribute__((noinline)) void
compute_for(int64_t nanoseconds)
{
	int64_t end = hub_now() + nanoseconds;

	while (hub_now() < end)
		continue;
}

static void *
body(void *argument)
{
	struct record *record = argument;

	hub_set_name(hub_current(), "the culprit");
	hub_expect_blocking(record->is_expected);
	compute_for(record->busy);
	/* On a busy machine it has less of the CPU than others, and is looked at late. */
	for (int i = 0; i < 100 && record->is_awaited && record->reports == 0; i++)
		compute_for(100 * HUB_MILLISECOND);
	hub_expect_blocking(false);
	return NULL;
}

static void
run(struct record *record)
{
	struct hub_hooks hooks = {.blocked = on_blocked, .context = record};

	hub_watchdog(20 * HUB_MILLISECOND);
	hub_set_hooks(&hooks);
	cr_assert_eq(hub_run(body, record, NULL), 0);
	hub_set_hooks(NULL);
}

Test(watchdog, names_who_does_not_switch_with_a_backtrace)
{
	struct record record = {.busy = HUB_SECOND, .is_awaited = true};

	if (on_valgrind())
		cr_skip_test("it runs one thread at a time");
	run(&record);
	cr_assert_geq(record.reports, 1);
	/* Not each time that it is looked at, which is every few milliseconds. */
	cr_assert_leq(record.reports, 20, "reported %d times", record.reports);
	cr_assert_geq(record.nanoseconds, 20 * HUB_MILLISECOND);
	cr_assert_not_null(strstr(record.text, "\"the culprit\""), "%s", record.text);
	cr_assert_not_null(strstr(record.text, "compute_for"), "%s", record.text);
}

Test(watchdog, says_nothing_where_blocking_is_expected)
{
	struct record record = {.busy = 200 * HUB_MILLISECOND, .is_expected = true};

	run(&record);
	cr_assert_eq(record.reports, 0);
}

static void *
busy_but_fair_body(void *argument)
{
	for (int i = 0; i < 100; i++) {
		compute_for(2 * HUB_MILLISECOND);
		hub_sleep(0);
	}
	hub_sleep(200 * HUB_MILLISECOND);
	return argument;
}

Test(watchdog, says_nothing_of_hubs_that_switch_or_sleep)
{
	struct record record = {0};
	struct hub_hooks hooks = {.blocked = on_blocked, .context = &record};

	hub_watchdog(100 * HUB_MILLISECOND);
	hub_set_hooks(&hooks);
	cr_assert_eq(hub_run(busy_but_fair_body, NULL, NULL), 0);
	hub_set_hooks(NULL);
	cr_assert_eq(record.reports, 0, "%s", record.text);
}

static void
turn_off(int64_t nanoseconds, const char *backtrace, void *context)
{
	(void)nanoseconds, (void)backtrace;
	((struct record *)context)->reports++;
	hub_watchdog(0);
}

Test(watchdog, may_be_turned_off_by_its_hook, .timeout = 30)
{
	struct record record = {.busy = 300 * HUB_MILLISECOND};
	struct hub_hooks hooks = {.blocked = turn_off, .context = &record};

	if (on_valgrind())
		cr_skip_test("it runs one thread at a time");
	hub_watchdog(20 * HUB_MILLISECOND);
	hub_set_hooks(&hooks);
	cr_assert_eq(hub_run(body, &record, NULL), 0);
	hub_set_hooks(NULL);
	cr_assert_eq(record.reports, 1);
}

Test(watchdog, may_be_given_any_time)
{
	struct record record = {.busy = 100 * HUB_MILLISECOND};
	struct hub_hooks hooks = {.blocked = on_blocked, .context = &record};

	hub_set_hooks(&hooks);
	hub_watchdog(HUB_FOREVER);
	cr_assert_eq(hub_run(body, &record, NULL), 0);
	hub_watchdog(INT64_MIN);
	cr_assert_eq(hub_run(body, &record, NULL), 0);
	hub_set_hooks(NULL);
	cr_assert_eq(record.reports, 0, "%s", record.text);
}

/* ---- less than a CPU ---- */

#define COMPETITORS 3

/* Steps that use less than half of the limit, but take longer than it: it has a quarter of a
 * CPU. */
static void *
slow_body(void *argument)
{
	struct record *record = argument;

	for (int i = 0; i < 20 && record->reports == 0; i++) {
		int64_t end = time_used() + 90 * HUB_MILLISECOND;

		while (time_used() < end)
			continue;
		hub_sleep(HUB_MILLISECOND);
	}
	return NULL;
}

/* Puts the process on one CPU, with others that compute for ever. */
static void
compete(pid_t *children)
{
	cpu_set_t allowed, one;

	cr_assert_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			CPU_SET(cpu, &one);
	cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
	for (int i = 0; i < COMPETITORS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				continue;
		}
	}
}

static void
stop_competing(const pid_t *children)
{
	for (int i = 0; i < COMPETITORS; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
}

Test(watchdog, reports_who_computes_with_little_cpu)
{
	struct record record = {0};
	struct hub_hooks hooks = {.blocked = on_blocked, .context = &record};
	pid_t children[COMPETITORS];

	if (on_valgrind())
		cr_skip_test("it runs one thread at a time");
	compete(children);
	hub_watchdog(200 * HUB_MILLISECOND);
	hub_set_hooks(&hooks);
	hub_run(slow_body, &record, NULL);
	hub_set_hooks(NULL);
	stop_competing(children);
	cr_assert_geq(record.reports, 1);
}

/* Short steps, which take long for the same reason, are no reason to report. */
static void *
fair_body(void *argument)
{
	for (int i = 0; i < 100; i++) {
		int64_t end = time_used() + 2 * HUB_MILLISECOND;

		while (time_used() < end)
			continue;
		hub_sleep(i % 2 * HUB_MILLISECOND);
	}
	return argument;
}

Test(watchdog, says_nothing_of_short_steps_with_little_cpu)
{
	struct record record = {0};
	struct hub_hooks hooks = {.blocked = on_blocked, .context = &record};
	pid_t children[COMPETITORS];

	compete(children);
	hub_watchdog(100 * HUB_MILLISECOND);
	hub_set_hooks(&hooks);
	hub_run(fair_body, NULL, NULL);
	hub_set_hooks(NULL);
	stop_competing(children);
	cr_assert_eq(record.reports, 0, "%s", record.text);
}
