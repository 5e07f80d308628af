/* The command line of a load. */
#ifndef HUBBUB_LOAD_OPTIONS_H
#define HUBBUB_LOAD_OPTIONS_H

#include "tests/load/ask/load.h"
#include "tests/load/ask/options_check.h"

/* Fills load from argv, the environment and @FILEs; the load borrows argv. Wrong usage prints a
 * message to stderr and ends the process with LOAD_USAGE; --help, --version and --print-config
 * print and end it with 0. */
void options_parse(struct load *load, int argc, char **argv, enum options_purpose purpose);

#endif
