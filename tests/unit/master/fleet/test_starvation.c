/* What a hub's silence counts for, by what its thread has done: as readings of the kernel's files
 * that the tests make up. */
#include "master/fleet/starvation.h"

#include <criterion/criterion.h>

#include "hub/base/clock.h"

#define MS CLOCK_MILLISECOND
#define ENOUGH (100 * MS)

static struct starvation hub;
static struct cpu_time thread;
static int64_t silent;

static void
begin(void)
{
	hub = (struct starvation){0};
	thread = (struct cpu_time){.ran = 70 * MS, .waited = 90 * MS};
	silent = 0;
}

TestSuite(starvation, .init = begin);

enum state { SLEEPS, RUNNABLE };

/* For so long the hub gives no sign of life, in which its thread has had a CPU, and has ended waits
 * for one. Returns its silence, in milliseconds. */
static int64_t
pass(int64_t elapsed, enum state state, int64_t ran, int64_t waited)
{
	thread.ran += ran * MS;
	thread.waited += waited * MS;
	thread.is_runnable = state == RUNNABLE;
	silent = starvation_judge(&hub, &thread, silent + elapsed * MS, ENOUGH);
	return silent / MS;
}

Test(starvation, what_has_passed_before_the_first_reading_counts)
{
	cr_assert_eq(pass(200, RUNNABLE, 0, 0), 200);
	cr_assert_eq(pass(300, RUNNABLE, 0, 0), 200);
}

Test(starvation, a_thread_that_waits_is_not_silent_however_long)
{
	pass(200, RUNNABLE, 0, 0);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(pass(300, RUNNABLE, 0, 0), 200);
	/* All of that is counted by the kernel when the thread runs, and has been taken already. */
	cr_assert_eq(pass(300, SLEEPS, 1, 30100), 200);
	cr_assert_eq(pass(300, SLEEPS, 0, 0), 500);
}

Test(starvation, sleep_counts_also_behind_and_before_a_wait)
{
	pass(200, SLEEPS, 0, 0);
	cr_assert_eq(pass(300, SLEEPS, 0, 0), 500);
	cr_assert_eq(pass(500, SLEEPS, 5, 100), 900);
	cr_assert_eq(pass(100, RUNNABLE, 0, 0), 900);
	cr_assert_eq(pass(100, SLEEPS, 0, 0), 1000);
}

Test(starvation, a_thread_that_computes_is_silent)
{
	pass(200, RUNNABLE, 200, 0);
	cr_assert_eq(pass(300, RUNNABLE, 300, 0), 500);
}

/* Others have the CPU for nine tenths of the time, but it has computed all the same. */
Test(starvation, a_thread_that_has_had_a_cpu_for_long_enough_was_silent_all_the_time)
{
	pass(200, RUNNABLE, 20, 180);
	cr_assert_eq(pass(300, RUNNABLE, 30, 270), 230);
	cr_assert_eq(pass(300, RUNNABLE, 30, 270), 260);
	cr_assert_eq(pass(300, RUNNABLE, 39, 261), 299);
	cr_assert_eq(pass(300, RUNNABLE, 1, 299), 1400);
	cr_assert_eq(pass(300, RUNNABLE, 0, 300), 1700);
}

Test(starvation, what_could_not_be_read_counts)
{
	pass(200, RUNNABLE, 0, 0);
	silent = starvation_judge(&hub, NULL, silent + 300 * MS, ENOUGH);
	cr_assert_eq(silent, 500 * MS);
	cr_assert_eq(pass(500, RUNNABLE, 0, 0), 1000, "since when it waits is not known");
	cr_assert_eq(pass(500, RUNNABLE, 0, 0), 1000);
}
