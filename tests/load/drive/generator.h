/* A generator thread: a hub with its share of the connections and of the plan. */
#ifndef HUBBUB_LOAD_GENERATOR_H
#define HUBBUB_LOAD_GENERATOR_H

#include "tests/load/ask/load.h"
#include "tests/load/count/segment.h"

/* Runs thread number index from beginning to end, in the calling thread: opens connections, waits
 * for the start, loads, drains, probes, closes. All outcomes, also failures, are written to the
 * segment's row of that index.
 * Switches: it runs a hub of its own. */
void generator_run(const struct load *load, struct segment *segment, unsigned index);

#endif
