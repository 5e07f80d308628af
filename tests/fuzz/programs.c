/* Runs one program after another, each from the seed after the last, under an alarm that ends a
 * program which hangs. A complaint prints the seed and ends the process. */
#include "tests/fuzz/programs.h"

#include <hubbub/scheduler.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/draw.h"

enum { PATIENCE = 60 }; /* seconds for one program */

static const char *name_of_all;
static unsigned seed;

void
programs_complain(const char *what, long value)
{
	fprintf(stderr, "%s: %s (%ld); HUBBUB_SEED=%u repeats it\n", name_of_all, what, value,
		seed);
	_exit(1);
}

static void
hang(int number)
{
	(void)number;
	programs_complain("a program does not end", PATIENCE);
}

int
programs_main(int argc, char **argv, const char *name, void (*run)(void))
{
	int64_t seconds = 5, began = clock_now();
	long programs = 0;

	if (argc == 3 && strcmp(argv[1], "--seconds") == 0)
		seconds = atoll(argv[2]);
	name_of_all = name;
	seed = draw_seed();
	printf("%s: seed %u\n", name, seed);
	fflush(stdout);
	signal(SIGALRM, hang);
	do {
		/* random_begin mixes the seed: programs of adjacent seeds have nothing in
		 * common. */
		random_begin(seed);
		alarm(PATIENCE);
		run();
		programs++;
		seed++;
	} while (clock_now() - began < seconds * HUB_SECOND);
	alarm(0);
	printf("%s: %ld programs\n", name, programs);
	return 0;
}
