#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "tests/load/ask/random.h"
#include "tests/load/count/histogram.h"

#define VALUES 200000

static struct histogram one, other, whole;
static int64_t values[VALUES];

/* Over all orders of magnitude. */
static int64_t
draw(uint64_t *random)
{
	return (int64_t)exp(random_unit(random) * log((double)HISTOGRAM_VALUE_MAX));
}

static int
order(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

Test(histogram, buckets_follow_each_other_without_gap_and_hold_their_own_bounds)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		cr_assert_eq(histogram_bucket(histogram_low(i)), i);
		cr_assert_eq(histogram_bucket(histogram_high(i)), i);
		if (i > 0)
			cr_assert_eq(histogram_low(i), histogram_high(i - 1) + 1);
		cr_assert_leq(histogram_high(i) - histogram_low(i), histogram_low(i) / 1024);
	}
	cr_assert_eq(histogram_high(HISTOGRAM_BUCKETS - 1), HISTOGRAM_VALUE_MAX);
}

Test(histogram, quantiles_are_those_of_exact_sorting_to_a_thousandth)
{
	static const double shares[] = {
		0.0001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 0.99999, 1};

	for (uint64_t seed = 1; seed <= 5; seed++) {
		uint64_t random = random_seed(seed, 0);
		double sum = 0;

		one = (struct histogram){0};
		for (int i = 0; i < VALUES; i++) {
			values[i] = draw(&random);
			sum += (double)values[i];
			histogram_record(&one, values[i]);
		}
		qsort(values, VALUES, sizeof values[0], order);
		for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
			size_t rank = (size_t)ceil(shares[i] * VALUES - 1e-6);
			double exact = (double)values[rank > 0 ? rank - 1 : 0];
			double found = (double)histogram_quantile(&one, shares[i]);

			cr_assert_leq(fabs(found - exact), exact / 1024 + 1,
				"seed %d, share %g: %g instead of %g", (int)seed, shares[i], found,
				exact);
		}
		cr_assert_eq(one.count, VALUES);
		cr_assert_eq(one.min, *values);
		cr_assert_eq(one.max, values[VALUES - 1]);
		cr_assert_float_eq(histogram_mean(&one), sum / VALUES, sum / VALUES * 1e-9);
	}
}

Test(histogram, a_few_values_are_exact)
{
	one = (struct histogram){0};
	for (int64_t i = 1; i <= 10; i++)
		histogram_record(&one, i);
	cr_assert_eq(histogram_quantile(&one, 0), 1);
	cr_assert_eq(histogram_quantile(&one, 0.1), 1);
	cr_assert_eq(histogram_quantile(&one, 0.11), 2);
	cr_assert_eq(histogram_quantile(&one, 0.5), 5);
	cr_assert_eq(histogram_quantile(&one, 0.9), 9);
	cr_assert_eq(histogram_quantile(&one, 1), 10);
	cr_assert_eq(histogram_percentile(&one, 0.9), 9);
	cr_assert_eq(histogram_percentile(&one, 0.91), -1, "the largest, under another name");
	cr_assert_float_eq(histogram_deviation(&one), sqrt(8.25), 1e-9);
}

Test(histogram, an_empty_one_has_no_quantile)
{
	one = (struct histogram){0};
	cr_assert_eq(histogram_quantile(&one, 0.5), -1);
	cr_assert_eq(histogram_percentile(&one, 0.5), -1);
	cr_assert_eq(histogram_mean(&one), 0);
	cr_assert_eq(histogram_deviation(&one), 0);
}

Test(histogram, values_beyond_the_ends_are_kept_at_them)
{
	one = (struct histogram){0};
	histogram_record(&one, -5);
	histogram_record(&one, INT64_MAX);
	cr_assert_eq(one.count, 2);
	cr_assert_eq(one.min, 0);
	cr_assert_eq(one.max, INT64_MAX);
	cr_assert_eq(*one.buckets, 1);
	cr_assert_eq(one.buckets[HISTOGRAM_BUCKETS - 1], 1);
}

Test(histogram, parts_merged_are_the_whole)
{
	uint64_t random = random_seed(9, 9);

	one = other = whole = (struct histogram){0};
	for (int i = 0; i < VALUES; i++) {
		int64_t value = draw(&random);

		histogram_record(i % 3 == 0 ? &one : &other, value);
		histogram_record(&whole, value);
	}
	histogram_merge(&one, &other);
	cr_assert_eq(one.count, whole.count);
	cr_assert_eq(one.min, whole.min);
	cr_assert_eq(one.max, whole.max);
	cr_assert_float_eq(one.sum, whole.sum, whole.sum * 1e-9);
	cr_assert_arr_eq(one.buckets, whole.buckets, sizeof one.buckets);
	/* Nothing is changed by nothing. */
	other = (struct histogram){0};
	histogram_merge(&one, &other);
	cr_assert_eq(one.min, whole.min);
	histogram_merge(&other, &one);
	cr_assert_eq(other.min, whole.min);
}

Test(histogram, the_difference_of_two_moments_is_what_came_between)
{
	static struct histogram between;
	uint64_t random = random_seed(3, 0);

	one = whole = (struct histogram){0};
	for (int i = 0; i < 1000; i++)
		histogram_record(&whole, draw(&random));
	other = whole;
	for (int i = 0; i < 1000; i++) {
		int64_t value = 1000 + i;

		histogram_record(&whole, value);
		histogram_record(&one, value);
	}
	histogram_difference(&between, &whole, &other);
	cr_assert_eq(between.count, 1000);
	cr_assert_arr_eq(between.buckets, one.buckets, sizeof one.buckets);
	cr_assert_eq(histogram_quantile(&between, 0.5), histogram_quantile(&one, 0.5));
	histogram_difference(&between, &whole, &whole);
	cr_assert_eq(between.count, 0);
}
