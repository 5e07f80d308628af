/* A hash table with linear probing, at most half full. */
#include "master/ctl/known.h"

#include <stdlib.h>
#include <string.h>

static uint32_t
id_of(const char *item)
{
	uint32_t id;

	memcpy(&id, item, sizeof id);
	return id;
}

static char *
place_of(const struct known *known, uint32_t id)
{
	size_t at = id * UINT32_C(2654435761) % known->size;

	while (id_of(known->items + at * known->item) != 0 &&
		id_of(known->items + at * known->item) != id)
		at = (at + 1) % known->size;
	return known->items + at * known->item;
}

static int
grow(struct known *known)
{
	struct known grown = {.item = known->item,
		.size = known->size > 0 ? 2 * known->size : 256,
		.count = known->count};
	const char *item;
	size_t at = 0;

	grown.items = calloc(grown.size, grown.item);
	if (grown.items == NULL)
		return -1;
	while ((item = known_next(known, &at)) != NULL)
		memcpy(place_of(&grown, id_of(item)), item, grown.item);
	free(known->items);
	*known = grown;
	return 0;
}

void *
known_find(struct known *known, uint32_t id)
{
	char *item;

	if (known->count * 2 >= known->size && grow(known) != 0)
		return NULL;
	item = place_of(known, id);
	if (id_of(item) == 0) {
		memcpy(item, &id, sizeof id);
		known->count++;
	}
	return item;
}

void *
known_next(const struct known *known, size_t *at)
{
	while (*at < known->size) {
		char *item = known->items + (*at)++ * known->item;

		if (id_of(item) != 0)
			return item;
	}
	return NULL;
}

void
known_clear(struct known *known)
{
	free(known->items);
	*known = (struct known){.item = known->item};
}
