/* The trouble that a failure needs. */
#ifndef HUBBUB_SIM_SHRINK_PRIV_H
#define HUBBUB_SIM_SHRINK_PRIV_H

#include "sim/search/attempt_priv.h"

/* Leaves out of the trouble of the failed run what it does not need to fail in the same way, and
 * repeats it with the rest, which *only becomes; what was seen is then of that run. Returns how it
 * has ended. */
struct outcome shrink(const struct search *search, struct outcome outcome, struct troubles *only);

#endif
