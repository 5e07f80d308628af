/* In the place of tests/fuzz/programs.c. */
#include "tests/fuzz/programs.h"

#include <hubbub/hub.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/programs.h"

enum { PROGRAMS = 300 };

void
programs_begin(unsigned seed)
{
	(void)seed;
}

void
programs_complain(const char *what, long value)
{
	fprintf(stderr, "%s (%ld)\n%s", what, value, hub_sim_report());
	abort();
}

int
programs_main(int argc, char **argv, const char *name, void (*run)(void))
{
	(void)argc, (void)argv, (void)name;
	for (int i = 0; i < PROGRAMS; i++)
		run();
	return 0;
}

/* The sources of the programs call it by the name hub_spawn. */
struct hub_coroutine *spawn_mortal(hub_fn *body, void *argument);

struct hub_coroutine *
spawn_mortal(hub_fn *body, void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(body, argument);

	if (coroutine != NULL)
		hub_sim_may_kill(coroutine);
	return coroutine;
}
