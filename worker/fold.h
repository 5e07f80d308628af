/* Folding: the counts of a dead process move from its row into the ledger, and are counted once
 * at every moment, though whoever folds may be killed or stopped between any two instructions.
 *
 *	DEAD row, even folds    the row and its ledger count; the fold is written down
 *	odd folds               the fold counts in place of both, which become what it says
 *	even folds              the ledger counts, the row has nothing, and is freed
 *
 * Both changes of folds are one store each. What is done while it is odd stores and never adds,
 * so another master does it again from any point. A row is freed after the fold, so the row that
 * a fold names is never anybody's new one.
 *
 * One process folds at a time (the last lock in counters.h). Readers are others, and do not wait:
 *
 *	release store of folds, odd     pairs with the acquire in fold_look: an odd one has been
 *	                                seen, so the fold is whole
 *	release stores of all else      pair with the acquire of fold_counts and of who reads the
 *	                                counts: what was written after folds has been seen, so the
 *	                                other number is seen in fold_has_moved, too */
#ifndef HUBBUB_WORKER_FOLD_H
#define HUBBUB_WORKER_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

/* The row's process is gone: its gauges do not count any more, and what it had open is closed. */
void fold_bury(const struct counters *counters, struct worker_row *row);

/* Folds a row that is DEAD, and frees it. The first of its worker, hub and layout becomes their
 * ledger. */
void fold_row(struct counters *counters, struct worker_row *row);

/* The steps of it. Writes the fold down; false if there is none, because the row is the ledger. */
bool fold_begin(struct counters *counters, struct worker_row *row);

/* Does what is written down, of whichever process; nothing if nothing is. */
void fold_finish(struct counters *counters);

/* ---- for readers ---- */

/* How far folding is. */
static inline uint32_t
fold_look(const struct counters *counters)
{
	return __atomic_load_n(&counters->folds, __ATOMIC_ACQUIRE);
}

/* What counts for that row if folding is so far; NULL if another row counts for it. */
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

/* Whether folding has gone on since: then what was read in between is of no moment at all. */
static inline bool
fold_has_moved(const struct counters *counters, uint32_t folds)
{
	return __atomic_load_n(&counters->folds, __ATOMIC_RELAXED) != folds;
}

#endif
