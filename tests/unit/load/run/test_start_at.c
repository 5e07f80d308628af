#include <criterion/criterion.h>
#include <stdio.h>

#include "hub/base/clock.h"
#include "tests/load/ask/moment.h"
#include "tests/load/run/start_at.h"

static struct load load = {.connections = 10, .connect_rate = 10, .is_quiet = true};
static unsigned looks;

static bool
is_over(void)
{
	return ++looks == 3;
}

Test(start_at, the_load_begins_at_its_time_or_when_it_can)
{
	int64_t earliest = clock_now();

	cr_assert_eq(start_at_clock(&load, earliest), earliest, "no time is given");
	load.start_at = moment_now() + 1000 * CLOCK_SECOND;
	cr_assert_gt(start_at_clock(&load, earliest), earliest + 990 * CLOCK_SECOND);
	cr_assert_leq(start_at_clock(&load, earliest), clock_now() + 1000 * CLOCK_SECOND);
	load.start_at = moment_now() - CLOCK_MILLISECOND;
	cr_assert_eq(start_at_clock(&load, earliest), earliest, "it has passed");
}

Test(start_at, the_wait_ends_when_it_is_over_or_connections_need_the_rest)
{
	start_at_wait(&load, is_over);
	cr_assert_eq(looks, 0, "no time is given");
	load.start_at = moment_now() + 1000 * CLOCK_SECOND;
	start_at_wait(&load, is_over);
	cr_assert_eq(looks, 3);
	load.connect_timeout = 1000 * CLOCK_SECOND;
	start_at_wait(&load, is_over);
	cr_assert_eq(looks, 3, "ten connections take a second, and a timeout");
}
