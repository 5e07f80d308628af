/* Each count is loaded by itself, without a lock: what was read is one moment's only if no fold has
 * moved, which the caller asks. */
#include "worker/sums.h"

#include "hub/base/check.h"
#include "worker/catalog.h"
#include "worker/fold.h"
#include "worker/layout.h"

#define IS_GAUGE_COUNTER false
#define IS_GAUGE_GAUGE true
#define IS_GAUGE(field, kind, ...) [LISTENED_##field] = IS_GAUGE_##kind,

/* Whether a metric's count at that index is a number of living processes, and does not only
 * grow. */
static bool
is_gauge(enum catalog_kind kind, unsigned index)
{
	static const bool listened[LISTENED_ROOM] = {LISTENED(IS_GAUGE)};

	DCHECK(kind != CATALOG_LISTENER || index < LISTENED_ROOM);
	return kind == CATALOG_GAUGE || (kind == CATALOG_LISTENER && listened[index]);
}

/* Adds a metric of one process to sum: what only grows, and gauges of living processes; of a peak
 * the largest of these. */
static void
add_metric(
	const struct catalog_entry *metric, uint64_t *sum, const uint64_t *counts, bool is_living)
{
	unsigned places = catalog_places(metric->kind);

	if (metric->kind == CATALOG_PEAK) {
		uint64_t count = __atomic_load_n(counts, __ATOMIC_ACQUIRE);

		*sum = is_living && count > *sum ? count : *sum;
		return;
	}
	for (unsigned i = 0; i < places; i++)
		if (is_living || !is_gauge(metric->kind, i))
			sum[i] += __atomic_load_n(&counts[i], __ATOMIC_ACQUIRE);
}

/* From the last metric to the first, as counters_open reads. */
void
sums_add(const struct counters *counters, struct worker_row *sum, const struct worker_row *row,
	const uint64_t *counts, bool is_living, unsigned first, unsigned end)
{
	uint32_t layout = __atomic_load_n(&row->layout, __ATOMIC_ACQUIRE);

	CHECK(first < end && end <= catalog_size);
	for (unsigned i = end; i-- > first;) {
		int place = layout_place(counters, layout, i);

		if (place != -1)
			add_metric(&catalog[i], &sum->counts[catalog[i].place], &counts[place],
				is_living);
	}
}

static bool
is_selected(const struct worker_row *row, const struct sums_selection *selection)
{
	return selection->is_total ||
	       (__atomic_load_n(&row->worker, __ATOMIC_ACQUIRE) == selection->worker &&
		       __atomic_load_n(&row->index, __ATOMIC_ACQUIRE) == selection->hub);
}

bool
sums_read(const struct counters *counters, uint32_t folds, const struct sums_selection *selection,
	struct worker_row *sum)
{
	uint32_t used = segment_used(counters);
	bool found = false;

	*sum = (struct worker_row){.worker = selection->worker, .index = selection->hub};
	for (unsigned i = 0; selection->is_total && i < LAYOUTS_MAX; i++) {
		const struct worker_row *server = &counters->layouts[i].server;

		if (layout_is_ready(counters, i))
			sums_add(counters, sum, server, server->counts, true, selection->first,
				selection->end);
	}
	/* Of hubs alone: no death would end what was written over them there. */
	sum->opened = sum->closed = 0;
	for (uint32_t i = 0; i < used; i++) {
		const struct worker_row *row = &counters->rows[i];
		const uint64_t *counts = fold_counts(counters, folds, row);
		uint32_t state = row_state(row);

		if (!row_counts(state) || !is_selected(row, selection))
			continue;
		found = true;
		if (counts != NULL)
			sums_add(counters, sum, row, counts, state == ROW_LIVE, selection->first,
				selection->end);
	}
	return found;
}
