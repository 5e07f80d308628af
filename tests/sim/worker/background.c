/* A lease is the holder's for as long as it lives. The one of the server fails, is done, or lasts;
 * whether its process still runs it is asked of the processes, not of the lease. */
#include "tests/sim/worker/background.h"

#include <errno.h>
#include <sys/types.h>

#include "hub/hub.h"
#include "sim/machine/fiber_priv.h"
#include "sim/sim.h"
#include "tests/sim/worker/process_priv.h"
#include "worker/lease.h"

#define TURN_MOST (200 * HUB_MILLISECOND)
#define FAILS_IN 20 /* one of so many turns fails; another one is the last */

/* 0: nobody. */
static pid_t holder, runner;
static bool were_two;

void
background_begin(void)
{
	holder = runner = 0;
	were_two = false;
}

bool
background_were_two(void)
{
	return were_two;
}

static bool
is_another_alive(pid_t pid)
{
	const struct process *process = process_of(pid);

	return pid != (pid_t)fiber_process() && process != NULL && !process->has_ended;
}

bool
lease_take(const char *name)
{
	(void)name;
	errno = EAGAIN;
	if (is_another_alive(holder))
		return false;
	holder = (pid_t)fiber_process();
	return true;
}

void
lease_return(const char *name)
{
	(void)name;
	holder = 0;
}

static const char *
run_alone(void *context)
{
	const char *why = NULL;

	(void)context;
	were_two |= is_another_alive(runner);
	runner = (pid_t)fiber_process();
	while (hub_sleep((int64_t)hub_sim_draw(TURN_MOST)) == 0) {
		uint64_t drawn = hub_sim_draw(FAILS_IN);

		were_two |= runner != (pid_t)fiber_process();
		if (drawn == 0)
			why = "drawn";
		if (drawn <= 1)
			break;
	}
	/* It may take a while to end. */
	hub_catch_kill();
	hub_sleep((int64_t)hub_sim_draw(TURN_MOST));
	were_two |= runner != (pid_t)fiber_process();
	runner = 0;
	return why;
}

static const char *
run_in_hub(void *context)
{
	(void)context;
	while (hub_sleep((int64_t)hub_sim_draw(HUB_SECOND)) == 0)
		continue;
	return NULL;
}

const struct hubbub_background backgrounds[] = {
	{.name = "alone", .run = run_alone, .where = HUBBUB_ONE_OF_SERVER},
	{.name = "in each hub", .run = run_in_hub, .where = HUBBUB_EACH_HUB},
	{0},
};
