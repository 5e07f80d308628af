#include "master/base/nearest.h"

#include <criterion/criterion.h>

Test(nearest, is_what_takes_the_fewest_edits)
{
	static const char *const names[] = {"listen", "processes", "threads", "pin", NULL};

	cr_assert_str_eq(nearest_name("procesess", names), "processes");
	cr_assert_str_eq(nearest_name("lsiten", names), "listen");
	cr_assert_null(nearest_name("xyzzy", names));
}

Test(nearest, is_one_that_begins_with_the_word_if_two_are_as_near)
{
	static const char *const names[] = {"stop", "store", "stow", NULL};

	cr_assert_str_eq(nearest_name("stor", names), "store");
	cr_assert_str_eq(nearest_name("stod", names), "stop");
}

Test(nearest, is_none_if_more_than_half_of_a_short_word_differs)
{
	static const char *const names[] = {"top", "pin", NULL};

	cr_assert_null(nearest_name("foo", names));
	cr_assert_null(nearest_name("x", names));
	cr_assert_str_eq(nearest_name("tip", names), "top");
}
