#include "hub/base/hash.h"

#include <criterion/criterion.h>

Test(hash, of_a_text_is_the_same_in_every_release)
{
	cr_assert_eq(hash_text(""), 0xcbf29ce484222325);
	cr_assert_eq(hash_text("a"), 0xaf63dc4c8601ec8c);
	cr_assert_neq(hash_text("ab"), hash_text("ba"));
}
