/* Log-linear buckets of whole numbers, as HdrHistogram has them: each number below 2 << bits has a
 * bucket of its own, and each power of two above has 1 << bits buckets of one width. So a number is
 * known to a part of itself, however large it is, and histograms are merged by addition. */
#ifndef HUBBUB_BASE_LOGLINEAR_H
#define HUBBUB_BASE_LOGLINEAR_H

#include <stdint.h>

/* The bucket of a number. */
static inline unsigned
loglinear_bucket(uint64_t number, unsigned bits)
{
	unsigned shift;

	if (number < UINT64_C(2) << bits)
		return (unsigned)number;
	shift = 63 - bits - (unsigned)__builtin_clzll(number);
	return (shift << bits) + (unsigned)(number >> shift);
}

/* The lowest number of a bucket; the highest one is below the next bucket's lowest. */
static inline uint64_t
loglinear_low(unsigned bucket, unsigned bits)
{
	unsigned shift;

	if (bucket < 2U << bits)
		return bucket;
	shift = (bucket >> bits) - 1;
	return (uint64_t)(bucket - (shift << bits)) << shift;
}

#endif
