#include "hub/base/ring.h"

#include <criterion/criterion.h>

static void
put(struct ring *ring, int item)
{
	cr_assert(ring_reserve(ring, sizeof item));
	*(int *)ring_at(ring, sizeof item, ring->count++) = item;
}

static int
take(struct ring *ring)
{
	int item = *(int *)ring_at(ring, sizeof item, 0);

	ring->head++;
	ring->count--;
	ring_shrink(ring, sizeof item);
	return item;
}

Test(ring, keeps_the_order_as_it_goes_round_grows_and_shrinks)
{
	struct ring ring = {0};
	int in = 0, out = 0;

	/* The head is somewhere in the middle when there is no more room. */
	for (int i = 0; i < 10; i++)
		put(&ring, in++);
	for (int i = 0; i < 7; i++)
		cr_assert_eq(take(&ring), out++);
	while (ring.count < 1000)
		put(&ring, in++);
	cr_assert_eq(ring.room, 1024);
	while (ring.count > 0)
		cr_assert_eq(take(&ring), out++);
	cr_assert_eq(out, in);
	cr_assert_leq(ring.room, (size_t)RING_ROOM_KEPT);
	free(ring.items);
}
