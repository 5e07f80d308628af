/* The command line of a load. */
#ifndef HUBBUB_LOAD_OPTIONS_H
#define HUBBUB_LOAD_OPTIONS_H

#include "tests/load/load.h"

/* What the arguments are for: it decides what must be there and what the defaults are. */
enum options_purpose { OPTIONS_RUN, OPTIONS_SEARCH, OPTIONS_SWEEP, OPTIONS_CHECK };

/* Fills load from argv, which it borrows. Bad usage is printed to stderr and ends the process with 2; --help and --version
 * print and end it with 0. */
void options_parse(struct load *load, int argc, char **argv, enum options_purpose purpose);

/* Fills in what was left to us, once targets are known: threads, processes by the limit on files, source addresses by the
 * number of ports. Warns on stderr of what it must change. */
void options_complete(struct load *load);

/* Prints the load as the options that would make it, one a line. */
void options_print(const struct load *load);

#endif
