/* Which of many cases a test runs: all, or a sample that is drawn with a seed, which is printed.
 * HUBBUB_CASES in the environment overrides the test: it is a number of cases, "all", or a text
 * that the names of the wanted cases contain. HUBBUB_SEED draws the same sample again. */
#ifndef HUBBUB_TESTS_DRAW_H
#define HUBBUB_TESTS_DRAW_H

#include <stdbool.h>

struct draw {
	unsigned *cases; /* numbers, in the order in which to run them; the caller frees it */
	unsigned count;
	unsigned seed;  /* that the sample was drawn with */
	bool is_wanted; /* HUBBUB_CASES was set */
};

/* The seed in HUBBUB_SEED, or a random one. */
unsigned draw_seed(void);

/* Draws a sample of the cases 0 to all - 1; a sample of 0 means all cases. name gives the name of a
 * case. */
struct draw draw_cases(unsigned all, unsigned sample, const char *(*name)(unsigned number));

#endif
