/* An array that grows as items come and shrinks as they go: a ring, whose first item moves on as it
 * is taken. Zeroed memory is an empty one. The size of an item is its user's, the same in each
 * call; without memory for more it stays as it is. */
#ifndef HUBBUB_BASE_RING_H
#define HUBBUB_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define RING_ROOM_FIRST 16
#define RING_ROOM_KEPT 256

struct ring {
	void *items; /* owned: whoever owns the ring frees it */
	size_t room; /* a power of two; 0 before the first item */
	size_t head; /* where the first item lies, modulo room */
	size_t count;
};

static inline void *
ring_at(const struct ring *ring, size_t size, size_t index)
{
	return (char *)ring->items + ((ring->head + index) & (ring->room - 1)) * size;
}

/* To room for so many items, at least those that are in it. Returns false when memory is out. Not
 * inline, so that the calls that seldom need it save no registers for it. */
static __attribute__((noinline, unused)) bool
ring_resize(struct ring *ring, size_t size, size_t room)
{
	char *items = malloc(room * size);

	if (items == NULL)
		return false;
	for (size_t i = 0; i < ring->count; i++)
		memcpy(items + i * size, ring_at(ring, size, i), size);
	free(ring->items);
	ring->items = items;
	ring->room = room;
	ring->head = 0;
	return true;
}

/* Makes room for one more item. Returns false when memory is out. */
static inline bool
ring_reserve(struct ring *ring, size_t size)
{
	return ring->count < ring->room ||
	       ring_resize(ring, size, ring->room != 0 ? 2 * ring->room : RING_ROOM_FIRST);
}

/* After a take: what a crowd has needed goes back as it leaves. */
static inline void
ring_shrink(struct ring *ring, size_t size)
{
	if (ring->room > RING_ROOM_KEPT && ring->count < ring->room / 8)
		ring_resize(ring, size, ring->room / 2);
}

#endif
