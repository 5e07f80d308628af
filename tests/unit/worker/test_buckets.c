#include "worker/buckets.h"

#include <criterion/criterion.h>
#include <math.h>

static struct buckets buckets;

Test(buckets, bounds_are_included)
{
	for (int64_t bound = 1; bound <= BUCKETS_VALUE_MAX; bound *= 2) {
		cr_assert_eq(buckets_bound(buckets_of(bound)), (uint64_t)bound);
		cr_assert_eq(buckets_of(bound + 1), buckets_of(bound) + (bound < BUCKETS_VALUE_MAX),
			"%ld", (long)bound);
	}
	cr_assert_eq(buckets_of(BUCKETS_VALUE_MAX), BUCKETS_COUNT - 1);
	cr_assert_eq(buckets_of(INT64_MAX), BUCKETS_COUNT - 1);
}

Test(buckets, each_value_is_at_or_below_the_bound_of_its_bucket_alone)
{
	for (unsigned i = 1; i < BUCKETS_COUNT; i++) {
		cr_assert_gt(buckets_bound(i), buckets_bound(i - 1));
		cr_assert_eq(buckets_of((int64_t)buckets_bound(i)), i);
		cr_assert_eq(buckets_of((int64_t)buckets_bound(i - 1) + 1), i);
	}
	cr_assert_eq(buckets_of(0), 0);
	cr_assert_eq(buckets_of(-1), 0);
	cr_assert_eq(buckets_of(INT64_MIN), 0);
	cr_assert_eq(buckets_of(1), 1);
}

Test(buckets, a_value_is_known_to_a_sixteenth)
{
	for (int64_t value = 1; value < BUCKETS_VALUE_MAX / 3; value += value / 7 + 1) {
		double told;

		buckets = (struct buckets){0};
		buckets_record(&buckets, value);
		told = buckets_quantile(&buckets, .5);
		cr_assert_leq(fabs(told - (double)value), (double)value / 16, "%ld: %f",
			(long)value, told);
	}
}

Test(buckets, quantiles_are_those_of_rank)
{
	buckets = (struct buckets){0};
	cr_assert_eq(buckets_quantile(&buckets, .5), 0, "of nothing");
	for (int64_t value = 1; value <= 10; value++)
		buckets_record(&buckets, value);
	cr_assert_eq(buckets_total(&buckets), 10);
	cr_assert_eq(buckets.sum, 55);
	cr_assert_eq(buckets_quantile(&buckets, .5), 5);
	cr_assert_eq(buckets_quantile(&buckets, .9), 9);
	cr_assert_eq(buckets_quantile(&buckets, .91), 10);
	cr_assert_eq(buckets_quantile(&buckets, 0), 1);
	cr_assert_eq(buckets_quantile(&buckets, 1), 10);
}

Test(buckets, what_is_below_0_counts_as_0_and_what_is_too_large_in_the_last)
{
	const uint64_t *first = buckets.counts, *last = first + BUCKETS_COUNT - 1;

	buckets = (struct buckets){0};
	buckets_record(&buckets, -5);
	buckets_record(&buckets, 0);
	cr_assert_eq(*first, 2);
	cr_assert_eq(buckets.sum, 0);
	buckets_record(&buckets, BUCKETS_VALUE_MAX * 2);
	cr_assert_eq(*last, 1);
	cr_assert_eq(buckets.sum, (uint64_t)BUCKETS_VALUE_MAX * 2);
}
