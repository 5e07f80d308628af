/* The beginning of a load at a time that several generators share. */
#ifndef HUBBUB_LOAD_START_AT_H
#define HUBBUB_LOAD_START_AT_H

#include <stdbool.h>

#include "tests/load/ask/load.h"

/* Waits until it is time to open the connections: they need as long as --connect-rate and
 * --connect-timeout say, so they are open at --start-at, and no server has closed them as idle.
 * Returns at once without --start-at, or when is_over says so, which is asked a few times a
 * second. */
void start_at_wait(const struct load *load, bool (*is_over)(void));

/* The clock when the load is to begin: at --start-at, or at earliest, if that is later; then a
 * message on stderr says by how much. */
int64_t start_at_clock(const struct load *load, int64_t earliest);

#endif
