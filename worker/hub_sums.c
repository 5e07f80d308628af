/* An open-addressing hash table finds the sum to which a row adds: the numbers of workers and hubs
 * in rows may have been overwritten, so they index nothing. It is never full, so a search ends. */
#include "worker/hub_sums.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "worker/catalog.h"
#include "worker/fold.h"
#include "worker/sums.h"

#define SPREAD UINT64_C(0x9E3779B97F4A7C15) /* 2^64 divided by the golden ratio */

int
hub_sums_init(struct hub_sums *sums, unsigned room)
{
	CHECK_WHY(room <= COUNTERS_ROWS, "there are no more hubs than rows");
	*sums = (struct hub_sums){.room = room, .slot_count = 2};
	while (sums->slot_count <= 2 * room)
		sums->slot_count *= 2;
	/* Not zeroed: what the catalog does not have of a row is never touched. */
	sums->rows = malloc((room + 1) * sizeof *sums->rows);
	sums->slots = malloc(sums->slot_count * sizeof *sums->slots);
	if (sums->rows != NULL && sums->slots != NULL)
		return 0;
	hub_sums_fini(sums);
	return -1;
}

void
hub_sums_fini(struct hub_sums *sums)
{
	free(sums->rows);
	free(sums->slots);
	*sums = (struct hub_sums){0};
}

/* The slot that has the hub, or the free one where it belongs. */
static unsigned *
slot_of(const struct hub_sums *sums, uint32_t worker, uint32_t hub)
{
	uint64_t hash = (((uint64_t)worker << 32) + hub) * SPREAD >> 32;

	CHECK(sums->slots != NULL && sums->count < sums->slot_count);
	for (;; hash++) {
		unsigned *slot = &sums->slots[hash & (sums->slot_count - 1)];
		const struct worker_row *row = *slot != 0 ? &sums->rows[*slot - 1] : NULL;

		if (row == NULL || (row->worker == worker && row->index == hub))
			return slot;
	}
}

/* The sum of a hub, of 0 if it is new; NULL if there is no room. */
static struct worker_row *
sum_of(struct hub_sums *sums, uint32_t worker, uint32_t hub)
{
	unsigned *slot = slot_of(sums, worker, hub);
	unsigned end = catalog_end();
	struct worker_row *sum;

	if (*slot != 0)
		return &sums->rows[*slot - 1];
	if (sums->count == sums->room)
		return NULL;
	sum = &sums->rows[sums->count++];
	*slot = sums->count;
	CHECK(end <= COUNTED_ROOM);
	memset(sum, 0, offsetof(struct worker_row, counts[0]) + end * sizeof sum->counts[0]);
	sum->worker = worker;
	sum->index = hub;
	return sum;
}

void
hub_sums_read(struct hub_sums *sums, const struct counters *counters, uint32_t folds)
{
	uint32_t used = segment_used(counters);

	CHECK_WHY(sums->slot_count > sums->room, "a search ends at a free slot");
	sums->count = 0;
	memset(sums->slots, 0, sums->slot_count * sizeof *sums->slots);
	for (uint32_t i = 0; i < used; i++) {
		const struct worker_row *row = &counters->rows[i];
		const uint64_t *counts = fold_counts(counters, folds, row);
		uint32_t state = row_state(row);
		struct worker_row *sum;

		if (!row_counts(state))
			continue;
		sum = sum_of(sums, __atomic_load_n(&row->worker, __ATOMIC_ACQUIRE),
			__atomic_load_n(&row->index, __ATOMIC_ACQUIRE));
		if (sum != NULL && counts != NULL)
			sums_add(counters, sum, row, counts, state == ROW_LIVE, 0, catalog_size);
	}
}

const struct worker_row *
hub_sums_find(const struct hub_sums *sums, uint32_t worker, uint32_t hub)
{
	unsigned slot = *slot_of(sums, worker, hub);

	return slot != 0 ? &sums->rows[slot - 1] : NULL;
}
