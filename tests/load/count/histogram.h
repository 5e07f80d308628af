/* Log-linear histogram of durations: 1024 buckets for each power of two, so a value is known to 0.1
 * %. It has no pointers, so it can lie in shared memory, and merging is addition. The layout is
 * HdrHistogram's with three significant digits. One thread writes a histogram; other threads and
 * processes may read it meanwhile, each field by itself. */
#ifndef HUBBUB_LOAD_HISTOGRAM_H
#define HUBBUB_LOAD_HISTOGRAM_H

#include <stdint.h>

#include "hub/base/loglinear.h"

#define HISTOGRAM_BITS 10
#define HISTOGRAM_LINEAR (2 << HISTOGRAM_BITS) /* each value below it has a bucket of its own */
#define HISTOGRAM_HALF (1 << HISTOGRAM_BITS)
#define HISTOGRAM_VALUE_MAX                                                                        \
	((INT64_C(1) << 42) -                                                                      \
		1) /* nanoseconds, 73 minutes; a longer time is counted in this bucket */
#define HISTOGRAM_BUCKETS (HISTOGRAM_LINEAR + (42 - 11) * HISTOGRAM_HALF)

struct histogram {
	uint64_t count;
	double sum;  /* nanoseconds */
	int64_t min; /* nanoseconds, exact; undefined while count is 0 */
	int64_t max; /* nanoseconds, exact */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* The bucket of a value from 0 to HISTOGRAM_VALUE_MAX; and the lowest and the highest value of a
 * bucket. */
static inline unsigned
histogram_bucket(int64_t value)
{
	return loglinear_bucket((uint64_t)value, HISTOGRAM_BITS);
}

int64_t histogram_low(unsigned bucket);
int64_t histogram_high(unsigned bucket);

/* Counts one value in nanoseconds; a negative value counts as 0. Thread: the histogram's only
 * writer. */
static inline void
histogram_record(struct histogram *histogram, int64_t value)
{
	uint64_t *bucket;

	if (__builtin_expect(value < 0, 0))
		value = 0;
	if (__builtin_expect(histogram->count == 0 || value < histogram->min, 0))
		__atomic_store_n(&histogram->min, value, __ATOMIC_RELAXED);
	if (__builtin_expect(value > histogram->max, 0))
		__atomic_store_n(&histogram->max, value, __ATOMIC_RELAXED);
	histogram->sum += (double)value;
	if (__builtin_expect(value > HISTOGRAM_VALUE_MAX, 0))
		value = HISTOGRAM_VALUE_MAX;
	bucket = &histogram->buckets[histogram_bucket(value)];
	__atomic_store_n(bucket, *bucket + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&histogram->count, histogram->count + 1, __ATOMIC_RELAXED);
}

/* Adds from to into. A thread may record into from meanwhile: the count of into is then that of the
 * buckets as they were read. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* Sets between to later minus earlier, two snapshots of one histogram: what was recorded from the
 * one to the other. The min and max of between are bounds of its buckets. */
void histogram_difference(
	struct histogram *between, const struct histogram *later, const struct histogram *earlier);

/* The value that a share (0 to 1) of all values are at or below: the one of rank ceil(share *
 * count), as the middle of its bucket, but never beyond min and max. -1 if the histogram is
 * empty. */
int64_t histogram_quantile(const struct histogram *histogram, double share);

/* The same for people: -1, too, if no value lies beyond it. The 99th percentile of fifty values is
 * their largest one, under another name. */
int64_t histogram_percentile(const struct histogram *histogram, double share);

/* The mean, and the standard deviation by the buckets' middles, in nanoseconds; 0 if the histogram
 * is empty. */
double histogram_mean(const struct histogram *histogram);
double histogram_deviation(const struct histogram *histogram);

#endif
