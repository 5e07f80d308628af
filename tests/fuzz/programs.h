/* Random programs: each is drawn from a seed of its own, runs, and is judged. */
#ifndef HUBBUB_TESTS_PROGRAMS_H
#define HUBBUB_TESTS_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/fuzz/random.h"

/* Ends the process with exit code 1; prints what went wrong and the seed that repeats it. */
void programs_complain(const char *what, long value) __attribute__((noreturn));

/* Complains unless condition holds. */
static inline void
programs_expect(bool condition, const char *what, long value)
{
	if (!condition)
		programs_complain(what, value);
}

/* Runs one program after another for as long as the arguments say ("--seconds N"; 5 s otherwise),
 * or until a program complains or takes a minute. Prints how many there were. HUBBUB_SEED in the
 * environment is the first program's seed; each program has the next one. Returns what main
 * returns. */
int programs_main(int argc, char **argv, const char *name, void (*run)(void));

#endif
