/* The state is one for the process: a test draws in one thread only. The seed is multiplied, so
 * that adjacent seeds give unrelated numbers. */
#include "tests/fuzz/random.h"

#include <stdint.h>

static uint64_t state;

void
random_begin(unsigned seed)
{
	state = (seed + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
}

unsigned
below(unsigned limit)
{
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * UINT64_C(2685821657736338717) >> 33) % limit);
}
