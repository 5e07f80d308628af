/* The writer's side: burying and folding, by the one master that has the right to fold
 * (counters.h). While folds is even, it prepares the record, which no reader uses yet; while folds
 * is odd, it only stores what the record says. So another master can go on after any instruction at
 * which this one is killed. */
#include "worker/fold.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "hub/base/check.h"
#include "worker/layout.h"
#include "worker/rights.h"

bool
fold_lock(void)
{
	int file = segment_file();

	CHECK_WHY(file != -1, "before counters_new or counters_map there is nothing to lock");
	return rights_lock(file, F_WRLCK, RIGHTS_TO_ANY, 1);
}

void
fold_unlock(void)
{
	rights_lock(segment_file(), F_UNLCK, RIGHTS_TO_ANY, 1);
}

void
fold_wait(void)
{
	nanosleep(&(struct timespec){0, 100000}, NULL);
}

static uint64_t
load(const uint64_t *count)
{
	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

static void
store(uint64_t *count, uint64_t value)
{
	__atomic_store_n(count, value, __ATOMIC_RELEASE);
}

/* The caller has the right to fold, and so is the only writer. */
static void
advance(struct counters *counters)
{
	__atomic_store_n(&counters->folds, fold_look(counters) + 1, __ATOMIC_SEQ_CST);
}

static bool
is_due(const struct counters *counters)
{
	return fold_look(counters) % 2 != 0;
}

static void
close_all(const struct counters *counters, struct worker_row *row)
{
	int opened = layout_place(counters, row->layout, COUNTED_opened);
	int closed = layout_place(counters, row->layout, COUNTED_closed);

	if (opened != -1 && closed != -1)
		store(&row->counts[closed], load(&row->counts[opened]));
}

void
fold_bury(const struct counters *counters, struct worker_row *row)
{
	/* In this order: as long as the row is LIVE, opened - closed says what was open. */
	__atomic_store_n(&row->state, ROW_DEAD, __ATOMIC_RELEASE);
	close_all(counters, row);
}

static struct worker_row *
ledger_of(struct counters *counters, const struct worker_row *dead)
{
	uint32_t used = segment_used(counters);

	for (uint32_t i = 0; i < used; i++) {
		struct worker_row *row = &counters->rows[i];

		if (row_state(row) == ROW_LEDGER && row->worker == dead->worker &&
			row->index == dead->index && row->layout == dead->layout)
			return row;
	}
	return NULL;
}

bool
fold_begin(struct counters *counters, struct worker_row *row)
{
	struct fold *fold = &counters->fold;
	struct worker_row *ledger;

	CHECK_WHY(row >= counters->rows && row < counters->rows + COUNTERS_ROWS, "it is a row");
	/* Whatever was written over it: else it could be found as its own ledger. */
	__atomic_store_n(&row->state, ROW_DEAD, __ATOMIC_RELEASE);
	if (is_due(counters))
		advance(counters);
	ledger = ledger_of(counters, row);
	/* The master that buried the row may have died before this step. */
	close_all(counters, row);
	if (ledger == NULL) {
		__atomic_store_n(&row->state, ROW_LEDGER, __ATOMIC_RELEASE);
		return false;
	}
	__atomic_store_n(&fold->row, row - counters->rows, __ATOMIC_RELEASE);
	__atomic_store_n(&fold->ledger, ledger - counters->rows, __ATOMIC_RELEASE);
	/* Also what this program does not know. The ledger has the row's layout. */
	for (unsigned place = 0; place < layout_places(counters, row->layout); place++)
		store(&fold->sums[place], load(&ledger->counts[place]) + load(&row->counts[place]));
	advance(counters);
	return true;
}

/* Whether the record is one that fold_begin has written, and not what a worker wrote over it. */
static bool
is_sound(const struct counters *counters, uint32_t row, uint32_t ledger)
{
	uint32_t used = segment_used(counters);

	return row < used && ledger < used && row != ledger &&
	       row_state(&counters->rows[row]) == ROW_DEAD &&
	       row_state(&counters->rows[ledger]) == ROW_LEDGER &&
	       counters->rows[row].layout == counters->rows[ledger].layout;
}

void
fold_finish(struct counters *counters)
{
	struct fold *fold = &counters->fold;
	uint32_t from = fold->row, to = fold->ledger;
	struct worker_row *row, *ledger;

	if (!is_due(counters))
		return;
	if (!is_sound(counters, from, to)) {
		advance(counters);
		return;
	}
	row = &counters->rows[from];
	ledger = &counters->rows[to];
	for (unsigned place = 0; place < layout_places(counters, row->layout); place++) {
		store(&ledger->counts[place], load(&fold->sums[place]));
		store(&row->counts[place], 0);
	}
	advance(counters);
}

/* A master killed in here leaves a DEAD row without counts, which the next one folds and frees.
 * Also counts of no layout go, which were written over it. */
static void
row_free(struct worker_row *row)
{
	/* A full barrier: folds has its even value before anything of the row is cleared. */
	__atomic_exchange_n(&row->state, ROW_DEAD, __ATOMIC_SEQ_CST);
	memset((char *)row + sizeof row->state, 0, sizeof *row - sizeof row->state);
	__atomic_store_n(&row->state, ROW_FREE, __ATOMIC_RELEASE);
}

void
fold_row(struct counters *counters, struct worker_row *row)
{
	if (!fold_begin(counters, row))
		return;
	fold_finish(counters);
	row_free(row);
}
