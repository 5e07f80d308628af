/* A layout in the segment goes from FREE over WRITING to READY, and never changes after that, so a
 * process looks up each layout once and keeps the places in known[]. */
#include "worker/layout.h"

#include <errno.h>
#include <string.h>

#include "hub/base/check.h"
#include "worker/catalog.h"

enum layout_state { LAYOUT_FREE, LAYOUT_WRITING, LAYOUT_READY };

/* The places of this program's metrics in each layout that the process has looked up. */
static struct {
	bool is_known;
	uint16_t end; /* rows count in places below this one */
	int16_t places[CATALOG_MAX];
} known[LAYOUTS_MAX];

_Static_assert(COUNTED_ROOM <= INT16_MAX, "a place fits into 16 bits");
#define FITS(field, ...)                                                                           \
	_Static_assert(sizeof #field <= LAYOUT_NAME_SIZE, "the name of " #field " is too long");
COUNTED(FITS, FITS, FITS)

bool
layout_is_ready(const struct counters *counters, uint32_t layout)
{
	CHECK(layout < LAYOUTS_MAX);
	return known[layout].is_known ||
	       __atomic_load_n(&counters->layouts[layout].state, __ATOMIC_ACQUIRE) == LAYOUT_READY;
}

static void
describe(struct layout *layout)
{
	CHECK_WHY(catalog_size <= LAYOUT_ENTRIES, "a layout has room for the catalog");
	for (unsigned i = 0; i < catalog_size; i++) {
		struct layout_entry *entry = &layout->entries[i];
		unsigned end = catalog[i].place + catalog_places(catalog[i].kind);

		CHECK(end <= COUNTED_ROOM);
		strcpy(entry->name, catalog[i].field);
		entry->kind = (uint8_t)catalog[i].kind;
		entry->is_service = catalog[i].is_service;
		entry->place = (uint16_t)catalog[i].place;
		if (layout->places < end)
			layout->places = end;
	}
}

/* Takes a FREE layout for good. A master that dies before READY leaves it unused. */
static bool
add(struct layout *layout, uint32_t index, const struct layout *own)
{
	uint32_t expected = LAYOUT_FREE;

	if (!__atomic_compare_exchange_n(&layout->state, &expected, LAYOUT_WRITING, false,
		    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	memcpy(layout->entries, own->entries, sizeof layout->entries);
	layout->places = own->places;
	layout->server.layout = index;
	__atomic_store_n(&layout->state, LAYOUT_READY, __ATOMIC_RELEASE);
	return true;
}

static int
find_or_add(struct counters *counters, const struct layout *own)
{
	for (int i = 0; i < LAYOUTS_MAX; i++)
		if (layout_is_ready(counters, (uint32_t)i) &&
			memcmp(counters->layouts[i].entries, own->entries, sizeof own->entries) ==
				0)
			return i;
	for (int i = 0; i < LAYOUTS_MAX; i++)
		if (add(&counters->layouts[i], (uint32_t)i, own))
			return i;
	return -1;
}

/* Returns the place of a metric of this program in a layout, or -1. */
static int16_t
find(const struct layout *layout, const struct catalog_entry *metric)
{
	const struct layout_entry *end = layout->entries + LAYOUT_ENTRIES;

	for (const struct layout_entry *entry = layout->entries;
		entry < end && entry->name[0] != '\0'; entry++)
		if (strncmp(entry->name, metric->field, LAYOUT_NAME_SIZE) == 0 &&
			entry->kind == metric->kind && entry->is_service == metric->is_service &&
			entry->place + catalog_places(metric->kind) <= COUNTED_ROOM)
			return (int16_t)entry->place;
	return -1;
}

static void
learn(const struct counters *counters, uint32_t layout)
{
	uint32_t end = counters->layouts[layout].places;

	known[layout].end = end < COUNTED_ROOM ? (uint16_t)end : COUNTED_ROOM;
	for (unsigned i = 0; i < catalog_size; i++)
		known[layout].places[i] = find(&counters->layouts[layout], &catalog[i]);
	known[layout].is_known = true;
}

/* Whether the layout's places are those of this program. */
static bool
is_own(int layout)
{
	for (unsigned i = 0; i < catalog_size; i++)
		if (known[layout].places[i] != (int16_t)catalog[i].place)
			return false;
	return true;
}

int
layout_enter(struct counters *counters)
{
	static struct layout own;
	int index;

	memset(&own, 0, sizeof own);
	describe(&own);
	memset(known, 0, sizeof known);
	index = find_or_add(counters, &own);
	if (index == -1) {
		errno = ENOSPC;
		return -1;
	}
	learn(counters, (uint32_t)index);
	/* Hubs count where this program's catalog says. */
	if (!is_own(index)) {
		errno = EPROTO;
		return -1;
	}
	return index;
}

/* Looks the layout up, if it is one and not yet known. */
static bool
is_known(const struct counters *counters, uint32_t layout)
{
	if (layout >= LAYOUTS_MAX || !layout_is_ready(counters, layout))
		return false;
	if (!known[layout].is_known)
		learn(counters, layout);
	return true;
}

int
layout_place(const struct counters *counters, uint32_t layout, unsigned number)
{
	CHECK(number < catalog_size);
	if (!is_known(counters, layout))
		return -1;
	return known[layout].places[number];
}

unsigned
layout_places(const struct counters *counters, uint32_t layout)
{
	return is_known(counters, layout) ? known[layout].end : 0;
}
