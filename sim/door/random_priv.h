/* Random bytes of the world (random.c). */
#ifndef HUBBUB_SIM_RANDOM_PRIV_H
#define HUBBUB_SIM_RANDOM_PRIV_H

#include <stdint.h>

/* A world with that seed begins. */
void random_begin(uint64_t seed);

#endif
