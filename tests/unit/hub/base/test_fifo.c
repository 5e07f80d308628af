#include "hub/base/fifo.h"

#include <criterion/criterion.h>

struct item {
	int number;
	struct item *next;
	struct item *previous;
};

static int
order(const struct item *first)
{
	int digits = 0;

	for (const struct item *each = first; each != NULL; each = each->next)
		digits = digits * 10 + each->number;
	return digits;
}

Test(fifo, keeps_order_whichever_is_removed)
{
	struct item items[4], *first = NULL;

	for (int i = 0; i < 4; i++) {
		items[i].number = i + 1;
		FIFO_APPEND(first, &items[i], next, previous);
	}
	cr_assert_eq(order(first), 1234);
	FIFO_REMOVE(first, &items[1], next, previous);
	cr_assert_eq(order(first), 134);
	FIFO_REMOVE(first, &items[0], next, previous);
	cr_assert_eq(order(first), 34);
	FIFO_REMOVE(first, &items[3], next, previous);
	cr_assert_eq(order(first), 3);
	FIFO_APPEND(first, &items[1], next, previous);
	cr_assert_eq(order(first), 32);
}

Test(fifo, is_empty_again_and_takes_more)
{
	struct item item = {.number = 7}, *first = NULL;

	FIFO_APPEND(first, &item, next, previous);
	FIFO_REMOVE(first, &item, next, previous);
	cr_assert_null(first);
	FIFO_APPEND(first, &item, next, previous);
	cr_assert_eq(order(first), 7);
	cr_assert_eq(first->previous, first);
}
