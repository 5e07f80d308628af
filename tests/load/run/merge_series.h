/* Intervals of several results, aligned by the wall clock. */
#ifndef HUBBUB_LOAD_MERGE_SERIES_H
#define HUBBUB_LOAD_MERGE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/load/run/part.h"

/* From one wall clock time to another, both in microseconds. */
double merge_seconds_between(int64_t earlier, int64_t later);

/* Adds rates and errors. Of percentiles the worst is kept: that of all replies together is not
 * above it. */
void merge_add_summary(struct summary *into, const struct summary *from);

/* Appends the intervals of all parts to the result, whose runs are merged already. Intervals of
 * different lengths cannot be aligned: then the load's is 0, and there is no series. Returns false
 * if there is no memory. */
bool merge_series(struct result *result, const struct part *parts, unsigned count);

#endif
