#include "master/face/recent.h"

#include <criterion/criterion.h>

static const struct recent_key one = {.metric = 1, .worker = 2, .hub = 3};

/* What has come lately, at that second. */
static uint64_t
lately(const struct recent_key *key, int64_t second, const struct buckets *all)
{
	struct buckets found;

	recent_look(key, second * (RECENT_TIME / 10), all, &found);
	cr_assert_eq(found.sum, 100 * buckets_total(&found));
	return buckets_total(&found);
}

static void
end(void)
{
	recent_forget();
}

TestSuite(recent, .fini = end, .timeout = 60);

Test(recent, is_what_came_in_the_last_ten_to_twenty_seconds)
{
	struct buckets all = {0};
	uint64_t total = 0;

	/* 1 comes each second, somebody looks each second. */
	for (int64_t second = 1; second <= 100; second++) {
		uint64_t found;

		buckets_record(&all, 100);
		found = lately(&one, second, &all);
		cr_assert_leq(found, 20);
		cr_assert_geq(found, second < 10 ? (uint64_t)second : 10);
		total++;
	}
	cr_assert_eq(buckets_total(&all), total);
}

Test(recent, is_all_at_the_first_look_and_since_the_last_one_after_a_long_time)
{
	struct buckets all = {0};

	for (int i = 0; i < 7; i++)
		buckets_record(&all, 100);
	cr_assert_eq(lately(&one, 1000, &all), 7);
	cr_assert_eq(lately(&one, 1009, &all), 7, "nobody has looked ten seconds ago");
	cr_assert_eq(lately(&one, 1010, &all), 0, "all of it is older than the first look");
	for (int i = 0; i < 3; i++)
		buckets_record(&all, 100);
	cr_assert_eq(lately(&one, 5000, &all), 3);
	cr_assert_eq(lately(&one, 5010, &all), 0);
}

/* As of a server that has run for a day. */
Test(recent, is_what_came_since_the_first_look_if_that_was_long_ago)
{
	struct buckets all = {0};

	for (int i = 0; i < 7; i++)
		buckets_record(&all, 100);
	lately(&one, 1000, &all);
	buckets_record(&all, 100);
	cr_assert_eq(lately(&one, 5000, &all), 1);
}

Test(recent, is_of_each_histogram)
{
	static const struct recent_key others[] = {{1, 2, 4}, {1, 3, 3}, {2, 2, 3}};
	struct buckets all = {0};

	buckets_record(&all, 100);
	lately(&one, 10, &all);
	lately(&one, 20, &all);
	cr_assert_eq(lately(&one, 30, &all), 0);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		cr_assert_eq(lately(&others[i], 30, &all), 1, "%zu", i);
}

Test(recent, of_nothing_is_nothing)
{
	struct buckets all = {0};

	cr_assert_eq(lately(&one, 1, &all), 0);
}
