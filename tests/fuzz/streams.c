/* Random programs over streams, on the real kernel: those of tests/sim/random_streams.c, which
 * needs of the simulated world only what is here in its place.
 *
 *	random-streams [--seconds N] */
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>

#include "tests/fuzz/programs.h"
#include "tests/sim/random_streams.h"
#include "tests/sim/wires.h"
#include "tests/support/descriptors.h"

uint64_t
hub_sim_draw(uint64_t limit)
{
	return below((unsigned)limit);
}

/* The kernel says no more than it must. */
const struct errnos_row *
errnos_rows(size_t *count)
{
	*count = 0;
	return NULL;
}

/* Others kill and close enough. */
void
hub_sim_may_kill(struct hub_coroutine *coroutine)
{
	(void)coroutine;
}

void
hub_sim_may_close(int *fd)
{
	(void)fd;
}

static void
run_program(void)
{
	static char certificate[] = HUBBUB_SOURCE_DIR "/tests/sim/ed25519.pem";
	static long descriptors;
	long now;

	programs_expect(hub_run(random_streams_body, certificate, NULL) == 0, "hub_run", errno);
	programs_expect(wires_complaint[0] == '\0', wires_complaint, 0);
	/* The first program opens descriptors that the process keeps; so does the first backtrace,
	 * which the watchdog may make later. */
	if (descriptors == 0)
		descriptors_settle();
	now = open_descriptors();
	programs_expect(
		descriptors == 0 || now == descriptors, "descriptors are left", now - descriptors);
	descriptors = now;
}

int
main(int argc, char **argv)
{
	return programs_main(argc, argv, "random-streams", run_program);
}
