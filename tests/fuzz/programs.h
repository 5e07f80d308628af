/* Random programs: each is made of its own seed, runs, and is judged. */
#ifndef HUBBUB_TESTS_PROGRAMS_H
#define HUBBUB_TESTS_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/fuzz/random.h"

/* The process ends with this: what went wrong, and the seed that repeats it. */
void programs_complain(const char *what, long value) __attribute__((noreturn));

/* Complains unless it holds. */
static inline void
programs_expect(bool condition, const char *what, long value)
{
	if (!condition)
		programs_complain(what, value);
}

/* Runs one program after the other for as long as the arguments say ("--seconds N"; 5), or until
 * one complains or takes a minute. Prints how many there were. HUBBUB_SEED in the environment is
 * the first one's seed, and each has the next. Returns what main returns. */
int programs_main(int argc, char **argv, const char *name, void (*run)(void));

#endif
