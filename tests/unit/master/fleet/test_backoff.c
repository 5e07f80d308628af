#include "master/fleet/backoff.h"

#include <criterion/criterion.h>

#include "hub/base/clock.h"

Test(backoff, one_that_served_is_replaced_at_once)
{
	unsigned failures = 3;

	cr_assert_eq(backoff_pause(&failures, CLOCK_SECOND / 2, true), 0);
	cr_assert_eq(failures, 3, "a minute of health, not a moment, forgives");
}

Test(backoff, a_crash_loop_slows_down_to_ten_seconds)
{
	unsigned failures = 0;
	double expected = 0.1;

	for (int i = 0; i < 12; i++) {
		double pause = backoff_pause(&failures, 0, true);

		cr_assert_float_eq(pause, expected, 1e-9, "crash %d: %g", i, pause);
		expected = expected * 2 < 10 ? expected * 2 : 10;
	}
	cr_assert_eq(failures, 12);
}

Test(backoff, while_nobody_serves_it_stays_short)
{
	unsigned failures = 40;

	cr_assert_float_eq(backoff_pause(&failures, 0, false), 0.25, 1e-9);
}
