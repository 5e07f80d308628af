/* What a program, or the environment, asks of a run or a search: whether it can be asked. */
#ifndef HUBBUB_SIM_ARGUMENTS_PRIV_H
#define HUBBUB_SIM_ARGUMENTS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"

/* Whether a body can run with the options, which may be NULL. If not, the report says why, and
 * errno is EINVAL. */
bool arguments_are_valid(const struct hub_sim_options *options, hub_fn *body);

/* Reads HUBBUB_SEED into *seed, which stays what it is if there is none. Returns NULL; or what is
 * wrong with it, in words, in static memory. */
const char *arguments_read_seed(uint64_t *seed);

#endif
