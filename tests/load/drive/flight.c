/* Records lie in one array per thread, which only grows; a freed record goes to a list of spare
 * ones. Links are indexes, not pointers, since growing moves the array: a pointer to a record is
 * valid until the next push. */
#include "tests/load/drive/flight.h"

#include <stddef.h>
#include <stdlib.h>

void
flights_init(struct flights *flights)
{
	*flights = (struct flights){.spare = FLIGHT_NONE};
}

void
flights_free(struct flights *flights)
{
	free(flights->items);
	flights_init(flights);
}

static bool
grow(struct flights *flights)
{
	uint32_t room = flights->room == 0 ? 1024 : 2 * flights->room;
	struct flight *items;

	if (room > FLIGHTS_MAX)
		return false;
	items = realloc(flights->items, room * sizeof *items);
	if (items == NULL)
		return false;
	flights->items = items;
	flights->room = room;
	return true;
}

static void
append(struct flights *flights, struct fifo *fifo, uint32_t index)
{
	flights->items[index].next = FLIGHT_NONE;
	if (fifo->count++ == 0)
		fifo->first = index;
	else
		flights->items[fifo->last].next = index;
	fifo->last = index;
}

static uint32_t
take(struct flights *flights, struct fifo *fifo)
{
	uint32_t index = fifo->first;

	fifo->first = flights->items[index].next;
	fifo->count--;
	return index;
}

bool
flights_push(struct flights *flights, struct fifo *fifo, int64_t intended, uint32_t length)
{
	uint32_t index = flights->spare;

	if (index != FLIGHT_NONE)
		flights->spare = flights->items[index].next;
	else if (flights->used < flights->room || grow(flights))
		index = flights->used++;
	else
		return false;
	flights->items[index] = (struct flight){.intended = intended, .length = length};
	append(flights, fifo, index);
	return true;
}

void
flights_move(struct flights *flights, struct fifo *from, struct fifo *to)
{
	append(flights, to, take(flights, from));
}

void
flights_pop(struct flights *flights, struct fifo *fifo)
{
	uint32_t index = take(flights, fifo);

	flights->items[index].next = flights->spare;
	flights->spare = index;
}

void
flights_clear(struct flights *flights, struct fifo *fifo)
{
	while (fifo->count > 0)
		flights_pop(flights, fifo);
}
