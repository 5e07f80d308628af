#include "hub/base/list.h"

#include <criterion/criterion.h>

struct item {
	int number;
	struct list link;
};

Test(list, keeps_order_and_survives_removal_while_walking)
{
	struct item items[4];
	struct list head;
	int sum = 0, order = 0;

	list_init(&head);
	cr_assert(list_is_empty(&head));
	for (int i = 0; i < 4; i++) {
		items[i].number = i + 1;
		list_append(&head, &items[i].link);
	}
	LIST_EACH (link, &head) {
		struct item *item = CONTAINER_OF(link, struct item, link);

		order = order * 10 + item->number;
		if (item->number % 2 == 0)
			list_remove(link);
	}
	cr_assert_eq(order, 1234);
	list_remove(&items[1].link);
	LIST_EACH (link, &head)
		sum = sum * 10 + CONTAINER_OF(link, struct item, link)->number;
	cr_assert_eq(sum, 13);
}
