/* Finding the highest rate that keeps a gate. */
#ifndef HUBBUB_LOAD_SEARCH_H
#define HUBBUB_LOAD_SEARCH_H

#include "tests/load/ask/load.h"

/* Searches with load->search; prints each try, and the answer. Returns the exit code. */
int search_run(const struct load *load);

#endif
