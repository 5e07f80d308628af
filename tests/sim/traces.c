/* Prints what stands for all that happens in many worlds, for tests/sim/determinism to compare: for
 * each seed and program the trace, and the last events in words.
 *
 *	sim-traces FIRST LAST
 *
 * If FIRST is the greater one the seeds run backwards, so that a run which depends on those before
 * it differs. */
#include <hubbub/sim.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/echo.h"
#include "tests/sim/random_io.h"
#include "tests/sim/random_streams.h"

static char ed25519[] = HUBBUB_SOURCE_DIR "/tests/sim/ed25519.pem";
static char rsa[] = HUBBUB_SOURCE_DIR "/tests/sim/rsa.pem";

/* The certificate, NULL for none, is the body's argument. Returns whether it ran well. */
static bool
run(uint64_t seed, const char *name, hub_fn *body, char *certificate)
{
	int code = hub_sim_run(seed, &hub_sim_trouble, body, certificate);

	printf("%llu %s: %d %016llx\n%s", (unsigned long long)seed, name, code,
		(unsigned long long)hub_sim_trace(), hub_sim_report());
	return code == 0;
}

/* Whether all programs ran well. */
static bool
run_all(uint64_t seed)
{
	bool is_well = run(seed, "echo", echo_body, NULL);

	is_well = run(seed, "echo over TLS", echo_body, seed % 2 ? ed25519 : rsa) && is_well;
	is_well = run(seed, "random", random_io_body, ed25519) && is_well;
	return run(seed, "streams", random_streams_body, ed25519) && is_well;
}

int
main(int argc, char **argv)
{
	long first = argc == 3 ? atol(argv[1]) : 0, last = argc == 3 ? atol(argv[2]) : 0;
	bool is_well = true;

	if (first < 1 || last < 1) {
		fprintf(stderr, "usage: sim-traces FIRST LAST\n");
		return 2;
	}
	for (long seed = first;; seed += last < first ? -1 : 1) {
		is_well = run_all((uint64_t)seed) && is_well;
		if (seed == last)
			break;
	}
	return is_well && echo.wrong == 0 ? 0 : 1;
}
