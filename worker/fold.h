/* Folding moves the counts of a dead process from its row into the ledger. At every moment they
 * count exactly once, though the master that folds may be killed or stopped between any two
 * instructions.
 *
 *	row DEAD, folds even    the row and its ledger count; the fold record is written
 *	folds odd               the record counts in place of both; both are set to what it says
 *	folds even              the ledger counts; the row has no counts, and is freed
 *
 * folds changes by a single store each time. While it is odd the folding master only stores what
 * the record says and never adds, so another master can do it again from any point. The row is
 * freed after the fold, so the row that the record names is never a new process's.
 *
 * One process folds at a time (the last lock in counters.h). Readers take no lock and do not wait:
 *
 *	folds becomes odd: release   pairs with the acquire in fold_look: a reader that sees the
 *	                             odd number sees the whole record
 *	all other stores: release    pair with the acquires in fold_counts and of the counts: a
 *	                             reader that sees a store made after a change of folds sees
 *	                             that change in fold_has_moved, too */
#ifndef HUBBUB_WORKER_FOLD_H
#define HUBBUB_WORKER_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

/* Marks the row of a dead process DEAD: its gauges no longer count, and its open connections count
 * as closed. */
void fold_bury(const struct counters *counters, struct worker_row *row);

/* Folds a DEAD row, and frees it. The first row of its worker, hub and layout becomes the ledger
 * instead. */
void fold_row(struct counters *counters, struct worker_row *row);

/* The first step of fold_row: writes the record, and makes folds odd. Returns false if there is
 * nothing to move, because the row has become the ledger. */
bool fold_begin(struct counters *counters, struct worker_row *row);

/* The second step: does what the record says, whichever process wrote it; nothing if folds is
 * even. */
void fold_finish(struct counters *counters);

/* The right to fold. Returns false if another process has it: callers never wait for it long, since
 * the master that has it may be stopped. */
bool fold_lock(void);
void fold_unlock(void);

/* Waits a moment for another's fold: 0.1 ms and the system call. */
void fold_wait(void);

/* ---- for readers ---- */

/* The number of changes so far; odd while the record counts. */
static inline uint32_t
fold_look(const struct counters *counters)
{
	return __atomic_load_n(&counters->folds, __ATOMIC_ACQUIRE);
}

/* The counts that stand for a row at that value of folds; NULL if the ledger's stand for it. */
static inline const uint64_t *
fold_counts(const struct counters *counters, uint32_t folds, const struct worker_row *row)
{
	const struct fold *fold = &counters->fold;
	uint32_t index = (uint32_t)(row - counters->rows);

	if (folds % 2 == 0)
		return row->counts;
	if (index == __atomic_load_n(&fold->row, __ATOMIC_ACQUIRE))
		return NULL;
	return index == __atomic_load_n(&fold->ledger, __ATOMIC_ACQUIRE) ? fold->sums : row->counts;
}

/* Whether folds has changed since: then what was read in between mixes two moments. */
static inline bool
fold_has_moved(const struct counters *counters, uint32_t folds)
{
	return __atomic_load_n(&counters->folds, __ATOMIC_RELAXED) != folds;
}

#endif
