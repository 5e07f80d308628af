/* Random programs of other rooms in the simulated world: what they draw comes from the world's
 * seed, and what they spawn, the world may kill. */
#ifndef HUBBUB_TESTS_SIM_PROGRAMS_H
#define HUBBUB_TESTS_SIM_PROGRAMS_H

#include <hubbub/sim.h>

/* The options of the worlds to come; NULL: no trouble. */
extern const struct hub_sim_options *in_world_options;

/* In the place of random_begin, a name of the world's own: nothing to do. */
void programs_begin(unsigned seed);

/* The main functions of tests/fuzz/objects.c and tests/fault/chaos.c. */
int random_objects(int argc, char **argv);
int chaos(int argc, char **argv);

#endif
