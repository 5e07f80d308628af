#include "hub/base/allocator.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(allocator, is_named)
{
	/* As the tests were built. */
	if (mallctl != NULL)
		cr_assert_str_eq(allocator_name(), "jemalloc");
	else
		cr_assert_neq(strcmp(allocator_name(), "jemalloc"), 0);
}
