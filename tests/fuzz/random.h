/* Random numbers that a seed repeats; in one thread only. */
#ifndef HUBBUB_FUZZ_RANDOM_H
#define HUBBUB_FUZZ_RANDOM_H

void random_begin(unsigned seed);

/* A number from 0 to limit - 1. */
unsigned below(unsigned limit);

#endif
