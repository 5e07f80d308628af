/* Prints what stands for all that happens in many worlds, for tests/sim/determinism to compare: for
 * each seed and program the trace, and the last events in words.
 *
 *	sim-traces FIRST LAST
 *
 * If FIRST is the greater one the seeds run backwards, so that a run which depends on those before
 * it differs. */
#include <hubbub/sim.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/echo.h"

struct program {
	const char *name;
	hub_fn *body;
	const char *certificate; /* NULL: no TLS */
};

#define CERTIFICATES HUBBUB_SOURCE_DIR "/tests/sim/"

static const struct program programs[] = {{"echo", echo_body, NULL},
	{"echo over TLS, Ed25519", echo_body, CERTIFICATES "ed25519.pem"},
	{"echo over TLS, RSA", echo_body, CERTIFICATES "rsa.pem"}};

#define PROGRAMS (sizeof programs / sizeof programs[0])

/* Each seed has two programs, so that a thousand seeds take a few seconds: plain, and with TLS. */
static void
run(uint64_t seed, const struct program *program)
{
	int code;

	echo.certificate = program->certificate;
	code = hub_sim_run(seed, &hub_sim_trouble, program->body, NULL);
	printf("%llu %s: %d %016llx\n%s", (unsigned long long)seed, program->name, code,
		(unsigned long long)hub_sim_trace(), hub_sim_report());
}

int
main(int argc, char **argv)
{
	long first = argc == 3 ? atol(argv[1]) : 0, last = argc == 3 ? atol(argv[2]) : 0;

	if (first < 1 || last < 1) {
		fprintf(stderr, "usage: sim-traces FIRST LAST\n");
		return 2;
	}
	for (long seed = first;; seed += last < first ? -1 : 1) {
		run((uint64_t)seed, &programs[0]);
		run((uint64_t)seed, &programs[1 + seed % 2]);
		if (seed == last)
			break;
	}
	return echo.wrong == 0 ? 0 : 1;
}
