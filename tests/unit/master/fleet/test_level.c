#include "master/fleet/level.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMBERS_MAX 9
#define ROUNDS 3000

static int64_t
sum_of(const struct level_member *members, unsigned count)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += members[i].gets;
	return sum;
}

/* Shares it out. Returns what each gets: "0 3 1". */
static const char *
parts(struct level_member *members, unsigned count, int64_t budget)
{
	static char text[256];
	size_t length = 0;

	level_share(members, count, budget);
	for (unsigned i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%jd",
			i > 0 ? " " : "", (intmax_t)members[i].gets);
	return text;
}

Test(level, equals_get_equal_parts)
{
	struct level_member members[4] = {{.has = 7, .most = 100}, {.has = 7, .most = 100},
		{.has = 7, .most = 100}, {.has = 7, .most = 100}};

	cr_assert_str_eq(parts(members, 4, 40), "10 10 10 10");
}

Test(level, whoever_has_less_gets_more_until_all_have_the_same)
{
	struct level_member members[3] = {
		{.has = 5, .most = 100}, {.has = 1, .most = 100}, {.has = 3, .most = 100}};

	cr_assert_str_eq(parts(members, 3, 4), "0 3 1");
	cr_assert_str_eq(parts(members, 3, 9), "1 5 3", "all have 6");
}

Test(level, what_one_may_not_have_the_others_get)
{
	struct level_member members[3] = {{.most = 2}, {.most = 100}, {.most = 100}};

	cr_assert_str_eq(parts(members, 3, 30), "2 14 14");
	cr_assert_str_eq(parts(members, 3, 1000), "2 100 100");
}

Test(level, nobody_gets_anything_of_nothing)
{
	struct level_member members[] = {{.most = 5, .holds = 3}, {.most = 0}},
			    without_room[] = {{.holds = 3}, {.most = 0}};

	cr_assert_str_eq(parts(members, 2, -4), "0 0");
	cr_assert_str_eq(parts(members, 2, 0), "0 0");
	cr_assert_str_eq(parts(without_room, 2, -4), "0 0");
	level_share(NULL, 0, 7);
}

Test(level, an_odd_one_goes_to_who_wants_it_then_stays_where_it_is)
{
	struct level_member members[4] = {{.has = 2, .most = 9}, {.has = 2, .most = 9, .holds = 1},
		{.has = 2, .most = 9}, {.has = 2, .most = 9}};

	cr_assert_str_eq(parts(members, 4, 1), "0 1 0 0");
	members[3].is_first = true;
	cr_assert_str_eq(parts(members, 4, 1), "0 0 0 1");
	cr_assert_str_eq(parts(members, 4, 2), "0 1 0 1");
	/* It is not for who is above the others already. */
	members[3].has = 3;
	cr_assert_str_eq(parts(members, 4, 1), "0 1 0 0");
}

static int64_t
up_to(int64_t limit)
{
	return rand() % (limit + 1);
}

/* Nobody could give one up to another that would then have no more than the giver had. */
static void
assert_is_level(const struct level_member *members, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k < count; k++)
			cr_assert(members[i].gets == 0 || members[k].gets == members[k].most ||
				  members[i].has + members[i].gets <=
					  members[k].has + members[k].gets + 1);
}

Test(level, whatever_they_have_all_is_given_and_nothing_can_be_moved_to_make_it_more_even)
{
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		struct level_member members[MEMBERS_MAX];
		unsigned count = 1 + (unsigned)up_to(MEMBERS_MAX - 1);
		int64_t budget = up_to(120), all = 0;

		for (unsigned i = 0; i < count; i++) {
			members[i] = (struct level_member){.has = up_to(30),
				.most = up_to(1) ? up_to(30) : 1000,
				.holds = up_to(20),
				.is_first = up_to(1) != 0};
			all += members[i].most;
		}
		level_share(members, count, budget);
		cr_assert_eq(sum_of(members, count), budget < all ? budget : all, "%d", round);
		for (unsigned i = 0; i < count; i++)
			cr_assert(members[i].gets >= 0 && members[i].gets <= members[i].most);
		assert_is_level(members, count);
	}
}

Test(level, a_level_far_beyond_what_there_is_is_found_at_once)
{
	struct level_member members[2] = {
		{.has = 0, .most = INT64_MAX / 4}, {.has = 4, .most = INT64_MAX / 4}};

	level_share(members, 2, INT64_MAX / 4);
	cr_assert_eq(sum_of(members, 2), INT64_MAX / 4);
	assert_is_level(members, 2);
}
