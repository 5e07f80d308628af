/* The limits of this machine that a load may meet. */
#ifndef HUBBUB_LOAD_PREFLIGHT_H
#define HUBBUB_LOAD_PREFLIGHT_H

#include "tests/load/ask/load.h"

/* Says on stderr which of these limits will bite the load, before it does. */
void preflight_warn(const struct load *load);

/* Says on stdout which limits will bite the load, each with the command that lifts it, and whether
 * the server answers one verified message. Returns the exit code: 1 if the load cannot run. */
int preflight_check(struct load *load);

#endif
