/* Adding up rows, of whichever layout, as they count at one point of a fold. The caller
 * (counters.h) reads again if folds have moved meanwhile. */
#ifndef HUBBUB_WORKER_SUMS_H
#define HUBBUB_WORKER_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

/* Which rows are added up, and what of them. */
struct sums_selection {
	bool is_total;        /* all rows, not those of one hub alone */
	uint32_t worker, hub; /* the hub */
	unsigned first,
		end; /* the metrics whose numbers in the catalog are from first to below end */
};

/* Adds to sum, of this program's layout, the metrics of a row whose numbers in the catalog are from
 * first to below end. counts is the row's own array, or that of the fold which moves it. */
void sums_add(const struct counters *counters, struct worker_row *sum, const struct worker_row *row,
	const uint64_t *counts, bool is_living, unsigned first, unsigned end);

/* Adds up rows as they count at the point that folds (fold_look) names. Returns whether there was
 * one. */
bool sums_read(const struct counters *counters, uint32_t folds,
	const struct sums_selection *selection, struct worker_row *sum);

#endif
