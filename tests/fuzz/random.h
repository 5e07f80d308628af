/* Random numbers that a seed repeats. */
#ifndef HUBBUB_FUZZ_RANDOM_H
#define HUBBUB_FUZZ_RANDOM_H

void random_begin(unsigned seed);

/* From 0, below limit. */
unsigned below(unsigned limit);

#endif
