/* Intervals of results that were made up. */
#include <criterion/criterion.h>

#include "tests/unit/load/run/parts.h"

TestSuite(merge_series, .init = parts_begin, .fini = parts_end);

static void
add_intervals(struct result *result)
{
	/* A little late, with the rest of an interval at the end. */
	static const double ends[] = {1.002, 2.1, 3.01, 3.4};

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		result_add_interval(result, &(struct interval){.t = ends[i],
						    .summary = {.offered = 100,
							    .achieved = 90,
							    .p50 = 1,
							    .p99 = 2,
							    .p99_9 = -1,
							    .max = (int64_t)i,
							    .errors = i},
						    .open = 4,
						    .in_flight = 1,
						    .lag_p99 = 7});
}

static void
add_intervals_later(struct result *result)
{
	add_intervals(result);
	result->runs[0].began += 2 * 1000000 + 400000; /* 2.4 s */
	result->series[0].summary.p99 = 9;
}

static void
add_short_intervals(struct result *result)
{
	add_intervals(result);
	parts_load.interval /= 2;
}

Test(merge_series, those_of_different_lengths_are_left_out_and_this_is_said)
{
	parts_store_good(0, add_intervals);
	parts_store_good(1, add_short_intervals);
	parts_store_good(3, add_intervals);
	PARTS_MERGE(1, 0);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(parts_merged->series_count, 0);
		cr_assert_eq(parts_merged->reason_count, 0);
		cr_assert(parts_noted("--interval"));
		/* It stays so in what is merged further. */
		parts_keep(2);
		PARTS_MERGE(3, 2);
	}
}

Test(merge_series, intervals_are_aligned_by_the_wall_clock)
{
	static const double offered[] = {100, 100, 200, 200, 100, 100};
	const struct interval *joined;

	parts_store_good(0, add_intervals);
	parts_store_good(1, add_intervals_later);
	for (int is_first = 0; is_first < 2; is_first++) {
		PARTS_MERGE(is_first, 1 - is_first);
		cr_assert_eq(parts_merged->series_count, 6);
		for (int i = 0; i < 6; i++)
			cr_assert_eq(parts_merged->series[i].summary.offered, offered[i], "%d", i);
		joined = &parts_merged->series[2];
		cr_assert_eq(joined->summary.p99, 9, "the worst");
		cr_assert_eq(joined->summary.p99_9, -1, "not known");
		joined = &parts_merged->series[3];
		cr_assert_eq(joined->summary.errors, 3 + 1, "they add");
		cr_assert_eq(joined->open, 8);
		joined = &parts_merged->series[5];
		cr_assert_float_eq(joined->t, 5.8, 1e-6);
	}
}
