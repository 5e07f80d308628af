/* One generator thread from beginning to end: a hub with its share of the connections and of the
 * plan. */
#ifndef HUBBUB_LOAD_GENERATOR_H
#define HUBBUB_LOAD_GENERATOR_H

#include "tests/load/ask/load.h"
#include "tests/load/count/segment.h"

/* Runs row number index of the segment to its end, in the calling thread: opens the connections,
 * waits for the start, loads, drains, probes and closes. What goes wrong is counted in the row.
 * Switches: it runs a hub of its own. */
void generator_run(const struct load *load, struct segment *segment, unsigned index);

#endif
