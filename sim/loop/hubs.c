/* Hubs that a program starts: each runs on a fiber of its own, as in a thread of its own. */
#include "sim/loop/hubs_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/chunk_priv.h"
#include "hub/debug/overflow_priv.h"
#include "hub/fork_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/thread/shared.h"
#include "sim/invariants/blocks_priv.h"
#include "sim/invariants/bytes_priv.h"
#include "sim/invariants/cases_priv.h"
#include "sim/invariants/invariants_priv.h"
#include "sim/loop/interruption_priv.h"
#include "sim/loop/loop_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/sim.h"
#include "sim/world/world_priv.h"

struct hub_sim_hub {
	struct list link; /* in started */
	long number;
	hub_fn *body;
	void *argument, *result;
	struct hub_shared_event *has_ended;
};

static struct list started = {&started, &started}; /* and not joined */

void
hubs_one_ends(void)
{
	invariants_hub_ends();
	interruptions_hub_ends(hub_this);
}

/* The stacks go with all that lies on them. */
static void
free_stacks(struct stack_arena *arena)
{
	LIST_EACH (link, &arena->chunks) {
		struct chunk *chunk = CONTAINER_OF(link, struct chunk, link);

		chunk->used = 0;
		chunk_free(chunk);
	}
}

void
hubs_one_is_killed(void)
{
	struct hub *hub = hub_this;

	if (hub == NULL)
		return;
	invariants_forget(hub);
	interruptions_hub_ends(hub);
	bytes_forget(hub);
	cases_forget(hub);
	overflow_thread_stop();
	if (hub->loop != NULL) {
		fork_hub_stopped();
		loop_forget(hub->loop);
	}
	free_stacks(&hub->arena);
	hub_forget();
	blocks_free(hub);
}

static void
run(void *object)
{
	struct hub_sim_hub *hub = object;

	hub->number = fiber_number();
	world_note("hub %ld begins", hub->number, 0, 0);
	if (hub_run(hub->body, hub->argument, &hub->result) != 0)
		world_fail("the first coroutine of hub %ld has failed: %s", hub->number,
			strerror(errno));
	hubs_one_ends();
	world_note("hub %ld has ended", hub->number, 0, 0);
	hub_shared_event_set(hub->has_ended);
}

static void
forget(struct hub_sim_hub *hub)
{
	hub_shared_event_free(hub->has_ended);
	free(hub);
}

struct hub_sim_hub *
hub_sim_start(const char *host, hub_fn *body, void *argument)
{
	struct hub_sim_hub *hub;
	struct host *there;

	if (!world_exists()) {
		errno = EPERM;
		return NULL;
	}
	there = host != NULL ? host_named(host) : fiber_host();
	hub = malloc(sizeof *hub);
	if (hub == NULL || there == NULL) {
		free(hub);
		errno = ENOMEM;
		return NULL;
	}
	*hub = (struct hub_sim_hub){
		.body = body, .argument = argument, .has_ended = hub_shared_event_new()};
	if (hub->has_ended == NULL) {
		free(hub);
		return NULL;
	}
	list_append(&started, &hub->link);
	fiber_start(there, run, hub);
	return hub;
}

int
hub_sim_join(struct hub_sim_hub *hub, void **result)
{
	if (hub_shared_event_wait(hub->has_ended) != 0)
		return -1;
	if (result != NULL)
		*result = hub->result;
	list_remove(&hub->link);
	forget(hub);
	return 0;
}

void
hubs_end(void)
{
	while (!list_is_empty(&started)) {
		struct hub_sim_hub *hub = CONTAINER_OF(started.next, struct hub_sim_hub, link);

		world_fail("hub %ld was not joined", hub->number);
		list_remove(&hub->link);
		forget(hub);
	}
}
