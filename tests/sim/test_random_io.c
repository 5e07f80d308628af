/* Random programs over connections, in worlds without trouble and with it. */
#include <criterion/criterion.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <stdlib.h>

#include "tests/sim/random_io.h"
#include "tests/sim/seeds.h"
#include "tests/sim/wires.h"

#define SEEDS 150

TestSuite(random_io, .timeout = 120);

/* From HUBBUB_SEED on. */
static void
run_programs(const struct hub_sim_options *options)
{
	static char certificate[] = HUBBUB_SOURCE_DIR "/tests/sim/ed25519.pem";

	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, options, random_io_body, certificate), 0, "%s\n%s",
			wires_complaint, hub_sim_report());
	cr_assert_gt(random_io.secure, 0);
	cr_assert_gt(random_io.received, 0);
	cr_assert_gt(random_io.ended_early, 0);
}

Test(random_io, loses_nothing)
{
	run_programs(NULL);
}

Test(random_io, loses_nothing_in_trouble_that_nobody_has_seen)
{
	run_programs(&hub_sim_trouble);
}

Test(random_io, loses_nothing_though_calls_are_ended_by_others)
{
	struct hub_sim_options options = hub_sim_trouble;

	options.killed = options.expired = options.closed = 20;
	run_programs(&options);
}

Test(random_io, loses_nothing_though_calls_are_refused)
{
	struct hub_sim_options options = hub_sim_trouble;

	options.refused = 20;
	run_programs(&options);
}
