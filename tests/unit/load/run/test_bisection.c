/* Searches of servers that were made up: no measurement, no time. */
#include <criterion/criterion.h>

#include "tests/load/run/bisection.h"

/* A server that keeps the goal up to a rate, and a generator that measures up to another, and fails
 * in that so many times before it does not. */
struct world {
	double most;
	double measurable;
	unsigned disturbed;
};

static struct bisection
search(const struct world *world, double begin)
{
	struct bisection bisection;
	unsigned disturbed = 0;
	double last = 0;

	bisection_begin(&bisection, begin, 1);
	while (bisection.rate > 0) {
		double rate = bisection.rate;

		cr_assert_lt(bisection.tries, 1000);
		if (rate != last)
			disturbed = 0;
		last = rate;
		bisection_note(
			&bisection, rate > world->measurable || disturbed++ < world->disturbed
					    ? BISECTION_INVALID
				    : rate <= world->most ? BISECTION_HELD
							  : BISECTION_BROKE);
	}
	return bisection;
}

Test(bisection, the_highest_rate_is_found_from_below_and_above)
{
	const struct world world = {.most = 12345, .measurable = 1e9};

	for (double begin = 10; begin < 1e7; begin *= 10) {
		struct bisection bisection = search(&world, begin);

		cr_assert_eq(bisection_answer(&bisection), BISECTION_FOUND, "%g", begin);
		cr_assert_leq(bisection.held, 12345);
		cr_assert_geq(bisection.held, 12345 * 0.97, "%g", bisection.held);
	}
}

/* A disturbed measurement is repeated, and is no answer. */
Test(bisection, what_is_invalid_twice_is_measured_the_third_time)
{
	const struct world world = {.most = 1000, .measurable = 1e9, .disturbed = 2};
	struct bisection bisection = search(&world, 800);

	cr_assert_eq(bisection_answer(&bisection), BISECTION_FOUND);
	cr_assert_geq(bisection.held, 970);
}

Test(bisection, the_limit_of_the_generator_is_not_the_server_s)
{
	const struct world world = {.most = 12345, .measurable = 5000};
	struct bisection bisection = search(&world, 10000);

	cr_assert_eq(bisection_answer(&bisection), BISECTION_AT_LEAST);
	cr_assert_leq(bisection.held, 5000);
	cr_assert_geq(bisection.held, 4800, "%g", bisection.held);
}

Test(bisection, a_server_that_breaks_below_that_limit_has_an_answer)
{
	const struct world world = {.most = 3000, .measurable = 5000};
	struct bisection bisection = search(&world, 10000);

	cr_assert_eq(bisection_answer(&bisection), BISECTION_FOUND);
	cr_assert_leq(bisection.held, 3000);
}

Test(bisection, none_is_only_said_where_it_was_measured)
{
	const struct world bad = {.most = 0, .measurable = 1e9}, blind = {.most = 5},
			   half_blind = {.most = 0, .measurable = 10000, .disturbed = 0};
	struct bisection bisection = search(&bad, 10000);

	cr_assert_eq(bisection_answer(&bisection), BISECTION_NONE);
	bisection = search(&blind, 10000);
	cr_assert_eq(bisection_answer(&bisection), BISECTION_UNKNOWN);
	bisection = search(&half_blind, 100000);
	cr_assert_eq(bisection_answer(&bisection), BISECTION_NONE);
}

Test(bisection, a_rate_below_which_nothing_is_measured_is_unknown)
{
	struct bisection bisection;

	bisection_begin(&bisection, 1000, 1);
	bisection_note(&bisection, BISECTION_BROKE);
	while (bisection.rate > 0)
		bisection_note(&bisection, BISECTION_INVALID);
	cr_assert_eq(bisection_answer(&bisection), BISECTION_UNKNOWN);
	cr_assert_eq(bisection.broke, 1000);
}

/* Whole rates have nothing between them. */
Test(bisection, small_rates_come_to_an_end)
{
	const struct world world = {.most = 1, .measurable = 1e9};
	struct bisection bisection = search(&world, 5);

	cr_assert_eq(bisection_answer(&bisection), BISECTION_FOUND);
	cr_assert_eq(bisection.held, 1);
}

Test(bisection, of_too_few_messages_nothing_is_asked)
{
	struct bisection bisection;

	bisection_begin(&bisection, 1000, 50);
	for (; bisection.rate > 0; bisection_note(&bisection, BISECTION_BROKE))
		cr_assert_geq(bisection.rate, 50);
	cr_assert_eq(bisection_answer(&bisection), BISECTION_NONE);
	bisection_begin(&bisection, 3, 50);
	cr_assert_eq(bisection.rate, 50);
}
