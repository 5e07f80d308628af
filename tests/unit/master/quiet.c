#include "tests/unit/master/quiet.h"

#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/list.h"
#include "master/change/change.h"
#include "master/fleet/generation.h"

static const struct hubbub_service service = {.name = "quiet", .version = "1.0"};

/* Criterion is not everywhere where this is used. */
static void
must(bool condition)
{
	CHECK(condition);
}

static void
on_ended(struct master *master, const char *why)
{
	struct quiet *quiet = CONTAINER_OF(master, struct quiet, master);

	quiet->ended++;
	quiet->why = why;
}

void
quiet_set_new(struct quiet *quiet)
{
	struct master *master = &quiet->master;

	*quiet = (struct quiet){.master = {.service = &service,
					.handed_on = HANDED_ON_NONE,
					.successor = &quiet->successor,
					.former = &quiet->former,
					.change_events.ended = on_ended,
					.loop = ev_loop_new(EVFLAG_NOENV)}};
	must(master->loop != NULL);
	list_init(&master->asks);
	upgrade_init(&quiet->successor);
	takeover_init(&quiet->former);
	change_init(master);
	master->options.listen.items[0] = "127.0.0.1:0";
	master->options.listen.count = 1;
	master->options.processes = master->options.asked_processes = 2;
	master->options.threads = master->options.asked_threads = 1;
}

/* Who waits for the last worker: nobody here. */
static void
ignore(void *context)
{
	(void)context;
}

void
quiet_set(struct quiet *quiet)
{
	static const struct fleet_config config = {.processes = 2, .threads = 1};
	struct master *master = &quiet->master;
	struct fleet *fleet = &master->fleet;
	struct address addresses[ADDRESSES_MAX];
	const char *why;

	quiet_set_new(quiet);
	must(address_parse(master->options.listen.items[0], addresses, &why) == 1);
	must(sockets_init(&master->sockets, addresses, 1, 16) == 0);
	must(sockets_open(&master->sockets, 2) == 0);
	master->sockets.can_bind = true;
	master->counters = counters_new(&master->handed_on.counters);
	must(master->counters != NULL);
	fleet->loop = master->loop;
	fleet->sockets = &master->sockets;
	fleet->counters = master->counters;
	fleet->events.all_gone = ignore;
	must(fleet_init(fleet) == 0);
	ev_timer_stop(master->loop, &fleet->tick);
	fleet->serving = generation_new(fleet, &config, GENERATION_SERVING);
	must(fleet->serving != NULL);
	master->phase = MASTER_SERVING;
}

void
quiet_accept(struct quiet *quiet, bool accepts)
{
	struct fleet *fleet = &quiet->master.fleet;

	quiet->slot.generation = fleet->serving;
	quiet->slot.hubs = &quiet->hub;
	quiet->slot.rows = &quiet->row;
	quiet->slot.memo = &quiet->memo;
	fleet->sockets->order[0] = 0;
	fleet->sockets->listening = accepts ? 1 : 0;
	fleet->occupants[0].slot = accepts ? &quiet->slot : NULL;
}

void
quiet_lend(struct quiet *quiet, bool is_there)
{
	struct generation *serving = quiet->master.fleet.serving;

	quiet->slot.state = SUPERVISION_READY;
	quiet->slot.memo = &quiet->memo;
	quiet->slots = &quiet->slot;
	serving->slots = is_there ? &quiet->slots : NULL;
	serving->count = is_there ? 1 : 0;
}

static void
on_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	*(bool *)timer->data = true;
}

bool
quiet_run(struct quiet *quiet, bool (*done)(const struct quiet *quiet))
{
	bool is_over = false;
	ev_timer over;

	ev_timer_init(&over, on_over, 2., 0.);
	over.data = &is_over;
	ev_now_update(quiet->master.loop);
	ev_timer_start(quiet->master.loop, &over);
	while (!done(quiet) && !is_over)
		ev_run(quiet->master.loop, EVRUN_ONCE);
	ev_timer_stop(quiet->master.loop, &over);
	return done(quiet);
}

bool
quiet_has_ended(const struct quiet *quiet)
{
	return quiet->ended > 0;
}

void
quiet_clear(struct quiet *quiet)
{
	struct master *master = &quiet->master;

	if (master->fleet.serving != NULL)
		generation_free(master->fleet.serving);
	master->fleet.serving = NULL;
	/* What was told to leave is swept away outside of that. */
	for (int turn = 0; master->fleet.leaving != NULL && turn < 10; turn++)
		ev_run(master->loop, EVRUN_NOWAIT);
	sockets_close(&master->sockets);
	fleet_fini(&master->fleet);
	if (master->counters != NULL)
		counters_free(&master->counters);
	if (master->handed_on.counters != -1)
		close(master->handed_on.counters);
	ev_loop_destroy(master->loop);
}
