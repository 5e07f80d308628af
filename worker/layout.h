/* Which counter lies where in a row. Programs that share a segment, one after the other by
 * upgrades, may count different things: each program names the places of its rows in a layout,
 * which stays in the segment, and no row ever changes its layout. A program that reads another
 * program's row finds a counter by its name. So totals survive an upgrade, and a counter that only
 * one of the two programs has keeps its value while the other runs. */
#ifndef HUBBUB_WORKER_LAYOUT_H
#define HUBBUB_WORKER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

/* Finds this program's layout in the segment, or adds it. Returns its index, or -1 with errno
 * ENOSPC: LAYOUTS_MAX other programs have used the segment. Called before every other function of
 * this file, and by one thread at a time. */
int layout_enter(struct counters *counters);

/* Whether the layout of this index is whole. */
bool layout_is_ready(const struct counters *counters, uint32_t layout);

/* The index in worker_row.counts of a counter in rows of that layout; -1 if they do not have it, or
 * there is no such layout: a row is memory of its worker, which may have overwritten it. */
int layout_place(const struct counters *counters, uint32_t layout, enum counted_number number);

/* Whether that layout has a counter at that index of worker_row.counts, known to this program or
 * not. */
bool layout_has(const struct counters *counters, uint32_t layout, unsigned place);

#endif
