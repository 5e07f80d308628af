/* A ring: an array that grows as items come and shrinks as they go, and whose head moves on with
 * each item that is taken. Zeroed memory is an empty ring. The caller passes the same item size to
 * every call. Without memory the ring stays as it is. */
#ifndef HUBBUB_BASE_RING_H
#define HUBBUB_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* In items: the first allocation, and the room at which a ring stops shrinking. */
#define RING_ROOM_FIRST 16
#define RING_ROOM_KEPT 256

struct ring {
	void *items; /* freed by the ring's owner */
	size_t room; /* a power of two; 0 before the first item */
	size_t head; /* index of the first item, modulo room */
	size_t count;
};

/* The item at that index, counted from the first. */
static inline void *
ring_at(const struct ring *ring, size_t size, size_t index)
{
	return (char *)ring->items + ((ring->head + index) & (ring->room - 1)) * size;
}

/* Changes the room to so many items, at least those that are in the ring. Returns false without
 * memory. Not inline, so that callers, which seldom need it, save no registers for it. */
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

/* Makes room for one more item. Returns false without memory. */
static inline bool
ring_reserve(struct ring *ring, size_t size)
{
	return ring->count < ring->room ||
	       ring_resize(ring, size, ring->room != 0 ? 2 * ring->room : RING_ROOM_FIRST);
}

/* Called after an item is taken: gives half of the room back when less than an eighth is used. */
static inline void
ring_shrink(struct ring *ring, size_t size)
{
	if (ring->room > RING_ROOM_KEPT && ring->count < ring->room / 8)
		ring_resize(ring, size, ring->room / 2);
}

#endif
