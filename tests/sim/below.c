/* In the place of tests/fuzz/random.c: what programs and tests draw is the world's. */
#include <hubbub/sim.h>

#include "tests/fuzz/random.h"

unsigned
below(unsigned limit)
{
	return (unsigned)hub_sim_draw(limit);
}
