/* A histogram in shared memory, small enough for one in each hub: 8 buckets for each power of two,
 * so that a value is known to 6.25 %. All of it is counts that only grow, by one writer, so it is
 * folded and added up as counters are, and merging is addition.
 *
 * A bucket has the values up to its bound, which it includes, as Prometheus's do; each power of two
 * is a bound. The first bucket has 0, and every value below. */
#ifndef HUBBUB_WORKER_BUCKETS_H
#define HUBBUB_WORKER_BUCKETS_H

#include <stdint.h>

#include "hub/base/loglinear.h"

#define BUCKETS_BITS 3
/* Values above this are in the last bucket: 73 minutes of nanoseconds, 4 Ti of bytes. */
#define BUCKETS_VALUE_MAX (INT64_C(1) << 42)
/* 0; the 16 values from 1 on; 8 for each power of two from 16 to 2^41. */
#define BUCKETS_COUNT (1 + 16 + (42 - 4) * 8)

struct buckets {
	uint64_t sum; /* of the values; one below 0 adds nothing */
	uint64_t counts[BUCKETS_COUNT];
};

#define BUCKETS_PLACES (sizeof(struct buckets) / sizeof(uint64_t))

/* The bucket of a value. */
static inline unsigned
buckets_of(int64_t value)
{
	if (value <= 0)
		return 0;
	if (value > BUCKETS_VALUE_MAX)
		value = BUCKETS_VALUE_MAX;
	return 1 + loglinear_bucket((uint64_t)value - 1, BUCKETS_BITS);
}

/* The highest value of a bucket. */
static inline uint64_t
buckets_bound(unsigned bucket)
{
	return loglinear_low(bucket, BUCKETS_BITS);
}

/* Counts a value. The caller is the only writer; others may read meanwhile. */
static inline void
buckets_record(struct buckets *buckets, int64_t value)
{
	uint64_t *count = &buckets->counts[buckets_of(value)];

	__atomic_store_n(
		&buckets->sum, buckets->sum + (uint64_t)(value > 0 ? value : 0), __ATOMIC_RELAXED);
	__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
}

/* How many values there are. */
uint64_t buckets_total(const struct buckets *buckets);

/* The value that a share (0 to 1) of all values are at or below, as the middle of its bucket: of
 * rank ceil(share * total). 0 if there are no values. */
double buckets_quantile(const struct buckets *buckets, double share);

#endif
