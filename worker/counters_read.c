/* Adding up reads without locks, and reads again if a fold moved counts meanwhile. */
#include "worker/catalog.h"
#include "worker/counters.h"
#include "worker/fold.h"
#include "worker/hub_sums.h"
#include "worker/sums.h"

#define READS_AT_ONCE 20
#define READS_MAX 1000 /* about 0.2 s; the last read may be wrong */

/* Reads again if a fold began or ended meanwhile, so that nothing is counted twice or left out. A
 * fold that stands still, because its master is dead or stopped, needs no second read. If other
 * masters fold without end, a reader that may lock takes the right to fold, so that they leave
 * their folds for later. */
static void
read_whole(const struct counters *counters,
	void (*read)(const struct counters *counters, uint32_t folds, void *context), void *context)
{
	bool has_moved = true;

	for (int tries = 0; has_moved && tries < READS_MAX; tries++) {
		bool has_right = tries >= READS_AT_ONCE && fold_lock();
		uint32_t folds = fold_look(counters);

		read(counters, folds, context);
		has_moved = fold_has_moved(counters, folds);
		if (has_right)
			fold_unlock();
		else if (tries >= READS_AT_ONCE)
			fold_wait();
	}
}

struct reading {
	const struct sums_selection *selection;
	struct worker_row *sum;
	bool found;
};

static void
read_sum(const struct counters *counters, uint32_t folds, void *context)
{
	struct reading *reading = context;

	reading->found = sums_read(counters, folds, reading->selection, reading->sum);
}

static bool
sum_whole(const struct counters *counters, const struct sums_selection *selection,
	struct worker_row *sum)
{
	struct reading reading = {selection, sum, false};

	read_whole(counters, read_sum, &reading);
	return reading.found;
}

static void
read_hubs(const struct counters *counters, uint32_t folds, void *sums)
{
	hub_sums_read(sums, counters, folds);
}

int
counters_sum_hubs(const struct counters *counters, struct hub_sums *sums)
{
	/* Another master may claim more rows meanwhile, which are left out. */
	if (hub_sums_init(sums, segment_used(counters)) != 0)
		return -1;
	read_whole(counters, read_hubs, sums);
	return 0;
}

bool
counters_sum(const struct counters *counters, uint32_t worker, uint32_t hub, struct worker_row *sum)
{
	struct sums_selection selection = {.worker = worker, .hub = hub, .end = catalog_size};

	return sum_whole(counters, &selection, sum);
}

void
counters_sum_all(const struct counters *counters, struct worker_row *sum)
{
	struct sums_selection selection = {.is_total = true, .end = catalog_size};

	sum_whole(counters, &selection, sum);
}

struct worker_row
counters_total(const struct counters *counters)
{
	struct sums_selection selection = {.is_total = true, .end = COUNTED_SINGLE_MAX};
	struct worker_row sum;

	sum_whole(counters, &selection, &sum);
	return sum;
}

void
counters_flow(const struct counters *counters, uint64_t *accepted, uint64_t *closed)
{
	struct sums_selection selection = {
		.is_total = true, .first = COUNTED_accepted, .end = COUNTED_closed + 1};
	struct worker_row sum;

	sum_whole(counters, &selection, &sum);
	*accepted = sum.accepted;
	*closed = sum.closed;
}
