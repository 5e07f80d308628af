/* The command line of a load. */
#ifndef HUBBUB_LOAD_OPTIONS_H
#define HUBBUB_LOAD_OPTIONS_H

#include "tests/load/ask/load.h"
#include "tests/load/ask/options_check.h"

/* Fills load from argv, which it borrows. Bad usage is printed to stderr and ends the process with
 * 2; --help and --version print and end it with 0. */
void options_parse(struct load *load, int argc, char **argv, enum options_purpose purpose);

#endif
