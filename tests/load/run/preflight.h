/* The limits of this machine that a load may meet, checked before it starts. */
#ifndef HUBBUB_LOAD_PREFLIGHT_H
#define HUBBUB_LOAD_PREFLIGHT_H

#include "tests/load/ask/load.h"

/* Warns on stderr of limits that the load will meet. */
void preflight_warn(const struct load *load);

/* Prints to stdout which limits the load will meet, each with the command that lifts it, and
 * whether each target answers a verified message. Returns the exit code: LOAD_FAILED if the load
 * cannot run. */
int preflight_check(struct load *load);

#endif
