/* A run: a world, a hub in it, and what is left at the end. */
#include <errno.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/chance_priv.h"
#include "hub/failure.h"
#include "hub/scheduler.h"
#include "sim/arguments_priv.h"
#include "sim/door/random_priv.h"
#include "sim/invariants/blocks_priv.h"
#include "sim/invariants/bytes_priv.h"
#include "sim/invariants/cases_priv.h"
#include "sim/invariants/invariants_priv.h"
#include "sim/invariants/permits_priv.h"
#include "sim/kernel/cargo_priv.h"
#include "sim/kernel/disk_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/name_priv.h"
#include "sim/kernel/port_priv.h"
#include "sim/loop/hubs_priv.h"
#include "sim/loop/interruption_priv.h"
#include "sim/loop/loop_priv.h"
#include "sim/loop/order_priv.h"
#include "sim/loop/process_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/sim.h"
#include "sim/world/world_priv.h"

struct call {
	hub_fn *body;
	void *argument;
};

const struct hub_sim_options hub_sim_trouble = {.interrupted = 50,
	.not_ready = 20,
	.partial = 10,
	.spurious = 20,
	.no_memory = 500,
	.no_files = 500,
	.refused = 500,
	.reset = 2000,
	.drift = 1000,
	.jump = 100,
	.partition = 500,
	.preempted = 20,
	.reordered = 10,
	.delay = 200 * HUB_MILLISECOND};

void
chance_of_deadlock(const struct hub *hub)
{
	(void)hub;
	world_note("nothing can wake the first coroutine: it gets EDEADLK", 0, 0, 0);
	if (world_options()->may_deadlock || world_has_failed())
		return;
	world_fail("nothing can wake the first coroutine, whose wait fails with EDEADLK");
	report_dump(fibers_dump);
}

/* Runs the body, and says why the first coroutine has failed, if it has. */
static void *
run_body(void *argument)
{
	const struct call *call = argument;
	void *result = call->body(call->argument);
	const struct hub_failure *failure = hub_failure_of(hub_current());

	if (failure != NULL)
		world_fail("%s", failure->text);
	return result;
}

int
hub_sim_run(uint64_t seed, const struct hub_sim_options *options, hub_fn *body, void *argument)
{
	struct call call = {body, argument};
	int error;

	if (!world_exists() && !arguments_are_valid(options, body))
		return -1;
	if (!world_begin(seed, options))
		return failed(EBUSY);
	random_begin(seed);
	names_begin();
	disk_begin(world_options()->directory);
	ports_begin();
	files_begin(world_options()->files);
	fibers_begin(hosts_begin("first"));
	error = hub_run(run_body, &call, NULL) == 0 ? 0 : errno;
	if (!loop_was_made())
		world_fail("the hub was not in this world: link -lhubbub-sim in the place of "
			   "-lhubbub-hub, not behind it");
	if (error != 0)
		world_fail("the first coroutine has failed: %s", strerror(error));
	hubs_one_ends();
	fibers_end();
	hubs_end();
	invariants_end();
	bytes_end();
	cases_end();
	permits_end();
	blocks_end();
	interruptions_end();
	order_end();
	processes_forget();
	files_end();
	cargos_end();
	/* What is still on its way arrives at a program that has ended. */
	while (world_pass(INT64_MAX))
		;
	files_free();
	disk_end();
	hosts_end();
	if (!world_end() && error == 0)
		error = ENOTRECOVERABLE;
	return failed(error);
}
