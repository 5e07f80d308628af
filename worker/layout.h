/* Which metric lies where in a row. Programs that share a segment, one after the other by upgrades,
 * may count different things: each program lists the metrics of its rows in a layout, which stays
 * in the segment, and no row ever changes its layout. A program that reads another program's row
 * finds a metric by its name and kind. So totals survive an upgrade, and a metric that only one of
 * the two programs has, or has of that kind, keeps its value while the other runs. */
#ifndef HUBBUB_WORKER_LAYOUT_H
#define HUBBUB_WORKER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

/* Finds this program's layout in the segment, or adds it. Returns its index, or -1 with errno
 * ENOSPC: LAYOUTS_MAX other programs have used the segment; EPROTO: it has been overwritten. Called
 * before every other function of this file, and by one thread at a time. */
int layout_enter(struct counters *counters);

/* Whether the layout of this index is whole. */
bool layout_is_ready(const struct counters *counters, uint32_t layout);

/* The index in worker_row.counts of the first count of a metric, by its number in the catalog, in
 * rows of that layout; -1 if they do not have it, or there is no such layout: a row is memory of
 * its worker, which may have overwritten it. */
int layout_place(const struct counters *counters, uint32_t layout, unsigned number);

/* Rows of that layout count in places below this one, also what this program does not know; 0 if
 * there is no such layout. */
unsigned layout_places(const struct counters *counters, uint32_t layout);

#endif
