/* Which of many cases a test walks: all, or a sample that is drawn by a seed, which is printed.
 * HUBBUB_CASES in the environment decides otherwise: it is a number, "all", or a text that is in
 * the names of those to be walked. HUBBUB_SEED draws the same ones again. */
#ifndef HUBBUB_TESTS_DRAW_H
#define HUBBUB_TESTS_DRAW_H

#include <stdbool.h>

struct draw {
	unsigned *cases; /* in the order of the walk; freed by the caller */
	unsigned count;
	unsigned seed;
	bool is_wanted; /* HUBBUB_CASES named them */
};

/* A seed: HUBBUB_SEED's, or a new one. */
unsigned draw_seed(void);

/* Draws of the cases 0 to all - 1 so many; 0: all of them. */
struct draw draw_cases(unsigned all, unsigned sample, const char *(*name)(unsigned number));

#endif
