/* Choices between shapes whose measurements were made up. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/load/run/sweep_choice.h"

#define ROUNDS 3
#define SHAPES 3

static struct measured measured[SHAPES];

/* 1x1, 1x2, 2x2: all the same to a percent. */
static void
begin(void)
{
	static const struct load_shape shapes[SHAPES] = {{1, 1}, {1, 2}, {2, 2}};

	memset(measured, 0, sizeof measured);
	for (unsigned i = 0; i < SHAPES; i++) {
		measured[i].shape = shapes[i];
		measured[i].throughput = (struct samples){{10000, 10050, 9950}, ROUNDS, 0, 0};
		measured[i].p99 = (struct samples){{1e6, 1.01e6, 0.99e6}, ROUNDS, 0, 0};
	}
}

TestSuite(sweep_choice, .init = begin);

static void
scale(struct samples *samples, double factor)
{
	for (unsigned i = 0; i < samples->count; i++)
		samples->values[i] *= factor;
}

Test(sweep_choice, the_one_of_the_highest_throughput_is_chosen)
{
	struct choice choice;

	scale(&measured[1].throughput, 2);
	scale(&measured[1].p99, 3);
	choice = sweep_choose(measured, SHAPES);
	cr_assert_eq(choice.kind, CHOICE_SURE, "%s", choice.why);
	cr_assert_eq(choice.chosen, 1);
}

Test(sweep_choice, of_those_that_are_as_fast_it_is_the_one_with_the_lowest_p99)
{
	struct choice choice;

	scale(&measured[2].p99, 0.5);
	scale(&measured[0].throughput, 1.02);
	choice = sweep_choose(measured, SHAPES);
	cr_assert_eq(choice.kind, CHOICE_SURE, "%s", choice.why);
	cr_assert_eq(choice.chosen, 2);
	cr_assert_eq(choice.best, 0);
}

Test(sweep_choice, those_that_are_alike_are_named)
{
	struct choice choice;

	scale(&measured[2].throughput, 0.5);
	scale(&measured[1].p99, 0.999);
	choice = sweep_choose(measured, SHAPES);
	cr_assert_eq(choice.kind, CHOICE_ALIKE, "%s", choice.why);
	cr_assert_eq(choice.chosen, 1);
	cr_assert_str_eq(choice.why, "1x1");
}

/* 1x2 has the lower median, of rounds that lie on both sides of 1x1's. */
Test(sweep_choice, a_difference_within_the_spread_is_none)
{
	struct choice choice;

	measured[1].p99 = (struct samples){{0.5e6, 3e6, 0.7e6}, ROUNDS, 0, 0};
	choice = sweep_choose(measured, SHAPES);
	cr_assert_eq(choice.kind, CHOICE_UNKNOWN);
	cr_assert_not_null(strstr(choice.why, "1x2 and 1x1"), "%s", choice.why);
	/* A throughput that is 30 % lower in the median, of rounds that are as far apart. */
	begin();
	measured[1].throughput = (struct samples){{7000, 12000, 6500}, ROUNDS, 0, 0};
	scale(&measured[1].p99, 0.5);
	choice = sweep_choose(measured, SHAPES);
	cr_assert_eq(choice.kind, CHOICE_UNKNOWN);
	cr_assert_not_null(strstr(choice.why, "in throughput"), "%s", choice.why);
	/* One that is 8 % lower, among rounds of the others. */
	begin();
	measured[1].throughput = (struct samples){{9200, 10000, 9000}, ROUNDS, 0, 0};
	scale(&measured[1].p99, 0.5);
	choice = sweep_choose(measured, SHAPES);
	cr_assert_eq(choice.kind, CHOICE_SURE, "%s", choice.why);
	cr_assert_eq(choice.chosen, 1);
}

Test(sweep_choice, what_was_not_valid_is_not_chosen_and_not_beaten)
{
	struct choice choice;

	measured[1].p99.doubts = 1;
	measured[1].p99.doubtful = 1.75e9;
	choice = sweep_choose(measured, SHAPES);
	cr_assert_eq(choice.kind, CHOICE_UNKNOWN);
	cr_assert_not_null(strstr(choice.why, "open loops of 1x2"), "%s", choice.why);
	/* But for one that is far slower anyway. */
	scale(&measured[1].throughput, 0.5);
	choice = sweep_choose(measured, SHAPES);
	cr_assert_neq(choice.kind, CHOICE_UNKNOWN, "%s", choice.why);
	cr_assert_neq(choice.chosen, 1);
	measured[1].throughput = (struct samples){.doubts = ROUNDS, .doubtful = 1};
	choice = sweep_choose(measured, SHAPES);
	cr_assert_eq(choice.kind, CHOICE_UNKNOWN);
	cr_assert_not_null(strstr(choice.why, "closed loops of 1x2"), "%s", choice.why);
}

/* As where all rounds of all shapes were invalid, and the first had the highest p99. */
Test(sweep_choice, where_nothing_was_valid_nothing_is_chosen)
{
	for (unsigned i = 0; i < SHAPES; i++)
		measured[i].p99 =
			(struct samples){.doubts = ROUNDS, .doubtful = i == 0 ? 1.75e9 : 1.07e9};
	cr_assert_eq(sweep_choose(measured, SHAPES).kind, CHOICE_UNKNOWN);
	cr_assert_eq(samples_median(&measured->p99), 1.75e9);
	cr_assert_eq(samples_spread(&measured->p99), -1);
}

Test(sweep_choice, one_round_has_no_spread_and_one_shape_no_rival)
{
	for (unsigned i = 0; i < SHAPES; i++)
		measured[i].throughput.count = measured[i].p99.count = 1;
	scale(&measured[1].throughput, 3);
	cr_assert_eq(sweep_choose(measured, SHAPES).kind, CHOICE_UNKNOWN);
	cr_assert_eq(sweep_choose(measured, 1).kind, CHOICE_SURE);
	measured[0].p99 = (struct samples){.doubts = 1, .doubtful = 1};
	cr_assert_eq(sweep_choose(measured, 1).kind, CHOICE_UNKNOWN);
}
