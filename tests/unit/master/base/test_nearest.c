#include "master/base/nearest.h"

#include <criterion/criterion.h>

Test(nearest, is_what_takes_the_fewest_edits)
{
	static const char *const names[] = {"listen", "processes", "threads", "pin", NULL};

	cr_assert_str_eq(nearest_name("procesess", names), "processes");
	cr_assert_str_eq(nearest_name("lsiten", names), "listen");
	cr_assert_null(nearest_name("xyzzy", names));
}
