/* What a command line leaves open. */
#ifndef HUBBUB_LOAD_COMPLETE_H
#define HUBBUB_LOAD_COMPLETE_H

#include "tests/load/ask/load.h"

/* Fills in what was left to us, once targets are known: threads, processes by the limit on files,
 * source addresses by the number of ports. */
void complete_load(struct load *load);

#endif
