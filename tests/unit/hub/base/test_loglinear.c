#include "hub/base/loglinear.h"

#include <criterion/criterion.h>

Test(loglinear, small_numbers_have_buckets_of_their_own)
{
	for (unsigned number = 0; number < 16; number++) {
		cr_assert_eq(loglinear_bucket(number, 3), number);
		cr_assert_eq(loglinear_low(number, 3), number);
	}
	cr_assert_eq(loglinear_bucket(16, 3), 16);
	cr_assert_eq(loglinear_bucket(17, 3), 16);
	cr_assert_eq(loglinear_bucket(18, 3), 17);
}

/* Also at the largest number, with every number of bits that is in use. */
Test(loglinear, buckets_follow_each_other_without_a_gap)
{
	static const unsigned bits[] = {3, 10};

	for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
		unsigned last = loglinear_bucket(UINT64_MAX, bits[i]);

		for (unsigned bucket = 1; bucket <= last; bucket++) {
			uint64_t low = loglinear_low(bucket, bits[i]);

			cr_assert_eq(loglinear_bucket(low, bits[i]), bucket);
			cr_assert_eq(loglinear_bucket(low - 1, bits[i]), bucket - 1);
		}
	}
}

Test(loglinear, a_bucket_is_a_small_part_of_its_numbers)
{
	for (unsigned bucket = 16; bucket < loglinear_bucket(UINT64_MAX, 3); bucket++) {
		uint64_t low = loglinear_low(bucket, 3);

		cr_assert_leq(loglinear_low(bucket + 1, 3) - low, low / 8);
	}
}
