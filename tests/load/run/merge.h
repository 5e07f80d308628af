/* Several generators' results of one load, as the one result that it has. */
#ifndef HUBBUB_LOAD_MERGE_H
#define HUBBUB_LOAD_MERGE_H

#include "tests/load/run/part.h"

#define MERGE_PARTS_MAX 256 /* more are merged in steps */

/* Merges count parts, at least one: counts and histograms add, exactly and in any order; intervals
 * are aligned by the wall clock. The result is judged anew, by the gates of the parts and of load,
 * and is invalid if a part is, or if the parts are not of one load at one time. load, which must be
 * all zero but for gates to add, becomes the load of all parts together, and is borrowed by the
 * result. Returns NULL if there is no memory. */
struct result *merge_parts(const struct part *parts, unsigned count, struct load *load);

#endif
