/* Tests in many worlds. */
#ifndef HUBBUB_TESTS_SIM_SEEDS_H
#define HUBBUB_TESTS_SIM_SEEDS_H

#include <hubbub/sim.h>

/* So many seeds one after the other, from HUBBUB_SEED on, or from 1: so tests/sim/soak has each
 * test run in new worlds, and the seed of a failure is the first of its repetition. */
#define EACH_SEED(seed, count)                                                                     \
	for (uint64_t seed = hub_sim_seed(1), seed##_end = seed + (count); seed != seed##_end;     \
		seed++)

#endif
