/* Random programs over every primitive of a hub, from tests/fuzz and tests/fault, in the simulated
 * world. Each run has a seed of its own, from HUBBUB_SEED on. */
#include <criterion/criterion.h>
#include <hubbub/sim.h>

#include "tests/sim/programs.h"

TestSuite(programs, .timeout = 300);

static void
run(int program(int argc, char **argv), const struct hub_sim_options *options)
{
	char *arguments[] = {"program", "--seconds", "2", NULL};

	in_world_options = options;
	cr_assert_eq(program(3, arguments), 0, "%s", hub_sim_report());
}

static struct hub_sim_options
trouble_and_kills(void)
{
	struct hub_sim_options options = hub_sim_trouble;

	options.killed = 20;
	return options;
}

Test(programs, objects)
{
	run(random_objects, NULL);
}

Test(programs, objects_in_trouble)
{
	struct hub_sim_options options = trouble_and_kills();

	options.expired = 20;
	run(random_objects, &options);
}

Test(programs, chaos)
{
	run(chaos, NULL);
}

Test(programs, chaos_in_trouble)
{
	struct hub_sim_options options = trouble_and_kills();

	run(chaos, &options);
}
