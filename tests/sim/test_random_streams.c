/* Random programs over streams, in worlds without trouble and with it. */
#include <criterion/criterion.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>

#include "tests/sim/random_streams.h"
#include "tests/sim/wires.h"

#define SEEDS 150

TestSuite(random_streams, .timeout = 120);

/* From HUBBUB_SEED on. */
static void
run_programs(const struct hub_sim_options *options)
{
	static char certificate[] = HUBBUB_SOURCE_DIR "/tests/sim/ed25519.pem";
	uint64_t first = hub_sim_seed(1);

	for (uint64_t seed = first; seed < first + SEEDS; seed++)
		cr_assert_eq(hub_sim_run(seed, options, random_streams_body, certificate), 0,
			"%s\n%s", wires_complaint, hub_sim_report());
	cr_assert_gt(random_streams.read, 0);
	cr_assert_gt(random_streams.copied, 0);
	cr_assert_gt(random_streams.frames, 0);
	cr_assert_gt(random_streams.too_long, 0);
	cr_assert_gt(random_streams.halves, 0);
	cr_assert_gt(random_streams.refused, 0);
	cr_assert_gt(random_streams.ended_early, 0);
}

Test(random_streams, lose_nothing)
{
	run_programs(NULL);
}

Test(random_streams, lose_nothing_in_trouble_that_nobody_has_seen)
{
	run_programs(&hub_sim_trouble);
}

Test(random_streams, lose_nothing_though_calls_are_ended_by_others)
{
	struct hub_sim_options options = hub_sim_trouble;

	options.killed = options.expired = options.closed = 20;
	run_programs(&options);
}
