/* The last step of reading a command line: what the user left open. */
#ifndef HUBBUB_LOAD_COMPLETE_H
#define HUBBUB_LOAD_COMPLETE_H

#include "tests/load/ask/load.h"

/* Fills in threads, processes (by the limit on open files), the address of each target, and source
 * addresses (by the number of ports). The targets must be known. Raises this process's limit on
 * open files. A combination that is impossible ends the process with LOAD_USAGE. */
void complete_load(struct load *load);

#endif
