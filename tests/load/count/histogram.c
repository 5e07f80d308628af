/* What is computed of a histogram: sums, differences, quantiles, moments. Nothing here writes a
 * histogram that a thread records into: the source is read field by field, and the count of a
 * merged histogram is the sum of the buckets that were read, so the two agree whatever the writer
 * did meanwhile. */
#include "tests/load/count/histogram.h"

#include <math.h>
#include <string.h>

int64_t
histogram_low(unsigned bucket)
{
	return (int64_t)loglinear_low(bucket, HISTOGRAM_BITS);
}

int64_t
histogram_high(unsigned bucket)
{
	return bucket + 1 < HISTOGRAM_BUCKETS ? histogram_low(bucket + 1) - 1 : HISTOGRAM_VALUE_MAX;
}

/* The value that stands for all values of a bucket. */
static int64_t
middle(unsigned bucket)
{
	return (histogram_low(bucket) + histogram_high(bucket)) / 2;
}

void
histogram_merge(struct histogram *into, const struct histogram *from)
{
	uint64_t count = 0;
	int64_t min = __atomic_load_n(&from->min, __ATOMIC_RELAXED);
	int64_t max = __atomic_load_n(&from->max, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t bucket = __atomic_load_n(&from->buckets[i], __ATOMIC_RELAXED);

		into->buckets[i] += bucket;
		count += bucket;
	}
	if (count == 0)
		return;
	if (into->count == 0 || min < into->min)
		into->min = min;
	if (max > into->max)
		into->max = max;
	into->count += count;
	into->sum += from->sum;
}

void
histogram_difference(
	struct histogram *between, const struct histogram *later, const struct histogram *earlier)
{
	memset(between, 0, sizeof *between);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t bucket = later->buckets[i] - earlier->buckets[i];

		if (bucket == 0)
			continue;
		if (between->count == 0)
			between->min = histogram_low(i);
		between->max = histogram_high(i);
		between->buckets[i] = bucket;
		between->count += bucket;
	}
	if (between->max > later->max)
		between->max = later->max;
	between->sum = later->sum - earlier->sum;
}

/* The number of values at or below a share of them. */
static uint64_t
rank_of(const struct histogram *histogram, double share)
{
	double exact = share * (double)histogram->count;

	/* Without the correction 0.9 x 10, which is a little above 9 in binary, would be rank
	 * 10. */
	return (uint64_t)ceil(exact - exact * 1e-12);
}

int64_t
histogram_percentile(const struct histogram *histogram, double share)
{
	return rank_of(histogram, share) < histogram->count ? histogram_quantile(histogram, share)
							    : -1;
}

int64_t
histogram_quantile(const struct histogram *histogram, double share)
{
	uint64_t rank = rank_of(histogram, share), seen = 0;

	if (histogram->count == 0)
		return -1;
	if (rank >= histogram->count)
		return histogram->max;
	if (rank == 0)
		rank = 1;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank) {
			int64_t value = middle(i);

			if (value > histogram->max)
				return histogram->max;
			return value < histogram->min ? histogram->min : value;
		}
	}
	return histogram->max;
}

double
histogram_mean(const struct histogram *histogram)
{
	return histogram->count == 0 ? 0 : histogram->sum / (double)histogram->count;
}

double
histogram_deviation(const struct histogram *histogram)
{
	double mean = histogram_mean(histogram), squares = 0;

	if (histogram->count == 0)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (histogram->buckets[i] != 0) {
			double distance = (double)middle(i) - mean;

			squares += distance * distance * (double)histogram->buckets[i];
		}
	return sqrt(squares / (double)histogram->count);
}
