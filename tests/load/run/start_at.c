/* Waiting for --start-at. The wall clock may be set meanwhile: it is read anew after each nap. */
#include "tests/load/run/start_at.h"

#include <stdio.h>
#include <time.h>

#include "hub/base/clock.h"
#include "tests/load/ask/moment.h"

#define NAP (CLOCK_SECOND / 20)
#define LATE_IGNORED (CLOCK_SECOND / 100)

/* How long the connections may take to open. */
static int64_t
lead(const struct load *load)
{
	double connections = (double)load->connections + (double)load->idle;

	return (int64_t)(connections / (double)load->connect_rate * 1e9) + load->connect_timeout;
}

void
start_at_wait(const struct load *load, bool (*is_over)(void))
{
	int64_t left = load->start_at - moment_now();

	if (load->start_at == 0)
		return;
	if (!load->is_quiet)
		fprintf(stderr, "hubbub-load: the load begins in %.3g s\n", (double)left / 1e9);
	while (load->start_at - moment_now() > lead(load) && !is_over())
		nanosleep(&(struct timespec){.tv_nsec = NAP}, NULL);
}

int64_t
start_at_clock(const struct load *load, int64_t earliest)
{
	int64_t start = clock_now() + load->start_at - moment_now();

	if (load->start_at == 0)
		return earliest;
	if (start > earliest)
		return start;
	if (earliest - start > LATE_IGNORED)
		fprintf(stderr,
			"hubbub-load: the connections were open %.3g s too late for --start-at\n",
			(double)(earliest - start) / 1e9);
	return earliest;
}
