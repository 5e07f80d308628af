/* in_hub and hub_run in a simulated world, so that tests of the hub run there as they are.
 * HUBBUB_SEED draws the first world of a process, and the next ones have the next seeds; with
 * HUBBUB_TROUBLE everything goes wrong now and then. */
#include "tests/support/in_hub.h"

#include <hubbub/sim.h>
#include <stdlib.h>

#include "hub/record_priv.h"
#include "tests/sim/programs.h"

struct run {
	hub_fn *body;
	void *argument;
	void **result;
};

static void *
call(void *argument)
{
	const struct run *run = argument;
	void *result = run->body(run->argument);

	if (run->result != NULL)
		*run->result = result;
	return NULL;
}

const struct hub_sim_options *in_world_options;

/* The tests call it by the name hub_run. */
int
hub_run_in_world(hub_fn *body, void *argument, void **result)
{
	static uint64_t runs;
	struct run run = {body, argument, result};
	struct hub_sim_options options = {0};
	int code;

	if (getenv("HUBBUB_TROUBLE") != NULL)
		options = hub_sim_trouble;
	else if (in_world_options != NULL)
		options = *in_world_options;
	options.may_deadlock = true;
	code = hub_sim_run(hub_sim_seed(1) + runs++, &options, call, &run);
	if (code != 0 && result != NULL)
		*result = NULL;
	return code;
}

void
in_hub(hub_fn *body, void *record)
{
	cr_assert_eq(hub_run_in_world(body, record, NULL), 0, "%s", hub_sim_report());
}

void
until_it_waits(const struct hub_coroutine *coroutine)
{
	while (coroutine->state != COROUTINE_WAITING && coroutine->state != COROUTINE_DONE)
		hub_sleep(0);
	hub_sleep(1);
}

bool
on_valgrind(void)
{
	return false;
}

bool
in_world(void)
{
	return true;
}
