/* Numbers from a seed. */
#ifndef HUBBUB_SIM_DRAW_PRIV_H
#define HUBBUB_SIM_DRAW_PRIV_H

#include <stdint.h>

/* splitmix64: passes BigCrush, and any seed will do. */
static inline uint64_t
draw_next(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

#endif
