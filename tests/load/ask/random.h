/* Pseudo-random numbers: the same seed gives the same numbers. */
#ifndef HUBBUB_LOAD_RANDOM_H
#define HUBBUB_LOAD_RANDOM_H

#include <math.h>
#include <stdint.h>

/* Sebastiano Vigna's splitmix64 finisher: each bit of x changes about half of the result's bits. */
static inline uint64_t
random_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The initial state of stream number index of a seed. */
static inline uint64_t
random_seed(uint64_t seed, uint64_t index)
{
	return random_mix(seed * UINT64_C(0x9e3779b97f4a7c15) + random_mix(index + 1));
}

static inline uint64_t
random_next(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return random_mix(*state);
}

/* Uniform from 0 (included) to 1 (excluded). */
static inline double
random_unit(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-53;
}

/* Exponentially distributed with mean 1. */
static inline double
random_exponential(uint64_t *state)
{
	return -log1p(-random_unit(state));
}

#endif
