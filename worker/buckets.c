/* What is read of a histogram. The reader has a sum of its own, or reads while its hub records: all
 * that is computed in one call is of the counts as they are read, one by one. */
#include "worker/buckets.h"

#include <math.h>

#include "hub/base/check.h"

_Static_assert(BUCKETS_COUNT == 321, "the last bucket's bound is BUCKETS_VALUE_MAX");

uint64_t
buckets_total(const struct buckets *buckets)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < BUCKETS_COUNT; i++)
		count += __atomic_load_n(&buckets->counts[i], __ATOMIC_RELAXED);
	return count;
}

/* The middle of the values that a bucket has. */
static double
middle(unsigned bucket)
{
	double high = (double)buckets_bound(bucket);

	DCHECK(bucket < BUCKETS_COUNT);
	return bucket == 0 ? 0 : ((double)buckets_bound(bucket - 1) + 1 + high) / 2;
}

double
buckets_quantile(const struct buckets *buckets, double share)
{
	double exact = share * (double)buckets_total(buckets);
	/* Without the correction 0.9 x 10, which is a little above 9 in binary, would be rank
	 * 10. */
	uint64_t rank = (uint64_t)ceil(exact - exact * 1e-12), seen = 0;
	unsigned last = 0;

	DCHECK(share >= 0 && share <= 1);
	for (unsigned i = 0; i < BUCKETS_COUNT; i++) {
		uint64_t count = __atomic_load_n(&buckets->counts[i], __ATOMIC_RELAXED);

		seen += count;
		if (count > 0)
			last = i;
		if (count > 0 && seen >= rank)
			break;
	}
	return middle(last);
}
