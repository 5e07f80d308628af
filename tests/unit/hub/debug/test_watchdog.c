#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	_Atomic int reports;
	int64_t nanoseconds;
	char text[8192];
	int64_t busy;
	bool is_expected;
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
	struct record record = {.busy = HUB_SECOND};

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
