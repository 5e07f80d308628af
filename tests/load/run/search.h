/* Finds the highest rate at which a gate, the goal, holds. */
#ifndef HUBBUB_LOAD_SEARCH_H
#define HUBBUB_LOAD_SEARCH_H

#include "tests/load/ask/load.h"

/* Searches with load->search as the goal; prints each try, and the answer. Returns the exit
 * code. */
int search_run(const struct load *load);

#endif
