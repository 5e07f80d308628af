/* Log-linear histogram of durations: 1024 buckets to each power of two, so a value is known to 0.1
 * %. It has no pointers, so it lives in shared memory, and merging is addition. The layout is that
 * of HdrHistogram with three significant digits. One thread writes; other threads and processes may
 * read meanwhile, each field by itself. */
#ifndef HUBBUB_LOAD_HISTOGRAM_H
#define HUBBUB_LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_LINEAR 2048 /* values below it have a bucket each */
#define HISTOGRAM_HALF (HISTOGRAM_LINEAR / 2)
#define HISTOGRAM_VALUE_MAX                                                                        \
	((INT64_C(1) << 42) - 1) /* nanoseconds: 73 minutes; more counts as that */
#define HISTOGRAM_BUCKETS (HISTOGRAM_LINEAR + (42 - 11) * HISTOGRAM_HALF)

struct histogram {
	uint64_t count;
	double sum;
	int64_t min; /* as recorded; meaningless while count is 0 */
	int64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* The bucket of a value from 0 to HISTOGRAM_VALUE_MAX, and the lowest and highest value of a
 * bucket. */
static inline unsigned
histogram_bucket(int64_t value)
{
	unsigned shift;

	if (value < HISTOGRAM_LINEAR)
		return (unsigned)value;
	shift = 63 - 10 - (unsigned)__builtin_clzll((unsigned long long)value);
	return shift * HISTOGRAM_HALF + (unsigned)(value >> shift);
}

int64_t histogram_low(unsigned bucket);
int64_t histogram_high(unsigned bucket);

/* Counts one value; what is negative counts as 0. */
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

/* Adds from to into. from may be written meanwhile: into's count is then that of the buckets as
 * they were read. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* later minus earlier, two snapshots of one histogram: what was recorded in between. Its min and
 * max are those of the buckets. */
void histogram_difference(
	struct histogram *between, const struct histogram *later, const struct histogram *earlier);

/* The value that a share of 0 to 1 of all are at or below: that of rank ceil(share * count), as the
 * middle of its bucket and never beyond min and max. -1 if it is empty. */
int64_t histogram_quantile(const struct histogram *histogram, double share);

/* The mean, and the standard deviation as the buckets tell; 0 if it is empty. */
double histogram_mean(const struct histogram *histogram);
double histogram_deviation(const struct histogram *histogram);

#endif
