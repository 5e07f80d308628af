#include "master/ctl/known.h"

#include <criterion/criterion.h>

struct item {
	uint32_t id;
	unsigned value;
};

static struct known known = {.item = sizeof(struct item)};

static void
end(void)
{
	known_clear(&known);
}

TestSuite(known, .fini = end);

Test(known, has_each_once_as_it_was_left)
{
	struct item *item;
	size_t at = 0;
	unsigned found = 0;

	for (uint32_t id = 1; id <= 5000; id++) {
		item = known_find(&known, id * 256);
		cr_assert_eq(item->value, 0);
		item->value = id;
	}
	for (uint32_t id = 1; id <= 5000; id++) {
		item = known_find(&known, id * 256);
		cr_assert_eq(item->id, id * 256);
		cr_assert_eq(item->value, id);
	}
	while (known_next(&known, &at) != NULL)
		found++;
	cr_assert_eq(found, 5000);
}

Test(known, forgets)
{
	size_t at = 0;

	((struct item *)known_find(&known, 7))->value = 1;
	known_clear(&known);
	cr_assert_null(known_next(&known, &at));
	cr_assert_eq(((struct item *)known_find(&known, 7))->value, 0);
}
