/* Which counter lies where in a row. Programs that share a segment, one after the other by
 * upgrades, may count different things: each names the places of its rows in a layout, which
 * stays in the segment, and no row ever changes its layout. Whoever reads a row of another
 * program finds a counter by its name: so totals go on through an upgrade, and what only one of
 * the two counts is left alone by the other. */
#ifndef HUBBUB_WORKER_LAYOUT_H
#define HUBBUB_WORKER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

/* Finds this program's layout in the segment, or adds it. Returns its index, or -1 with errno
 * ENOSPC: there have been LAYOUTS_MAX others. Before anything else here; not while another
 * thread calls it. */
int layout_enter(struct counters *counters);

/* Whether there is one of that index. */
bool layout_is_ready(const struct counters *counters, uint32_t layout);

/* The index in worker_row.counts of what this program knows by that number; -1 if rows of that
 * layout do not count it. */
int layout_place(const struct counters *counters, uint32_t layout, enum counted_number number);

/* Whether something is counted at that place, by whatever name. */
bool layout_has(const struct counters *counters, uint32_t layout, unsigned place);

#endif
