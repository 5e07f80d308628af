/* The command line of a load. */
#ifndef HUBBUB_LOAD_OPTIONS_H
#define HUBBUB_LOAD_OPTIONS_H

#include "tests/load/load.h"

/* What the arguments are for: it decides what must be there and what the defaults are. */
enum options_purpose { OPTIONS_RUN, OPTIONS_SEARCH, OPTIONS_SWEEP, OPTIONS_CHECK };

/* Fills load from argv, which it borrows. Bad usage is printed to stderr and ends the process with
 * 2; --help and --version print and end it with 0. */
void options_parse(struct load *load, int argc, char **argv, enum options_purpose purpose);

#endif
