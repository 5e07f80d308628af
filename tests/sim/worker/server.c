/* The events of the fleet do what master/change/change.c does: a generation that has risen listens
 * and takes over. What must hold at the end is in account.c. */
#include "tests/sim/worker/server.h"

#include <hubbub/server.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hub/hub.h"
#include "hub/record_priv.h"
#include "hub/scheduler_priv.h"
#include "master/fleet/fleet.h"
#include "master/fleet/slot.h"
#include "master/sockets/dismissal.h"
#include "master/start/limits.h"
#include "sim/sim.h"
#include "tests/sim/worker/account.h"
#include "tests/sim/worker/background.h"
#include "tests/sim/worker/echo.h"
#include "tests/sim/worker/listeners.h"
#include "tests/sim/worker/process.h"
#include "worker/tally.h"

/* What an orphan may take beyond the time of its drain. */
#define ORPHANS_MORE (4 * HUB_SECOND)

static struct {
	struct server_shape shape;
	struct sockets sockets;
	struct fleet fleet;
	struct counters *counters;
	struct tally *tally;
	int counters_file, tally_file;
	bool is_ready, is_gone;
	bool has_changed; /* the rising generation has taken over, or was dropped */
	const char *why;  /* NULL: it has taken over */
	bool has_listened, is_leaving, has_died;
	int64_t deadline; /* clock at which the first generation that drains ends its connections */
	struct hub_event news;
	struct worker_row total;
	size_t dismissed; /* clients that were queued when the last worker had gone */
} server;

uint64_t
limits_connections(unsigned addresses, unsigned hubs)
{
	(void)addresses, (void)hubs;
	return (uint64_t)server.shape.capacity;
}

bool
limits_allow(
	unsigned addresses, unsigned workers, unsigned hubs, unsigned more, char *why, size_t size)
{
	(void)addresses, (void)workers, (void)hubs, (void)more, (void)why, (void)size;
	return true;
}

/* ---- the fleet's events ---- */

static void
note_deadline(int64_t deadline)
{
	if (server.deadline == 0 || deadline < server.deadline)
		server.deadline = deadline;
}

static void
on_all_ready(void *context)
{
	(void)context;
	server.is_ready = true;
	hub_event_set(&server.news);
}

static void
on_fell(void *context, const char *why)
{
	(void)context;
	server.why = why;
	server.has_changed = true;
	hub_event_set(&server.news);
}

static void
on_risen(void *context)
{
	const char *why;

	if (fleet_listen(&server.fleet, &why) != 0) {
		fleet_abandon(&server.fleet);
		on_fell(context, why);
		return;
	}
	fleet_commit(&server.fleet);
	note_deadline(hub_now() + server.shape.drain_timeout);
	server.why = NULL;
	server.has_changed = true;
	hub_event_set(&server.news);
}

static void
on_all_gone(void *context)
{
	(void)context;
	server.is_gone = true;
	hub_event_set(&server.news);
}

static void
on_hopeless(void *context)
{
	(void)context;
	server.why = "no worker gets ready";
	on_all_ready(context);
}

static void
on_dump(void *context, int64_t number)
{
	(void)context, (void)number;
}

static void
on_dump_missed(void *context, int64_t number, unsigned hubs)
{
	(void)context, (void)number, (void)hubs;
}

static void
wait_for(const bool *what)
{
	while (!*what) {
		hub_event_clear(&server.news);
		if (hub_event_wait(&server.news) != 0)
			return;
	}
}

/* ---- from begin to end ---- */

/* The echo service, as it would be with a long computation at its beginning. */
static void
serve(int client, void *context)
{
	if (server.shape.blocking != 0 && hub_sim_draw(server.shape.blocking) == 0)
		process_block((int64_t)hub_sim_draw((uint64_t)server.shape.block_for));
	echo_service()->serve(client, context);
}

/* Connections are counted per peer, up to a limit that nobody reaches: what is counted must come to
 * nothing in the end. */
static struct fleet_config
config_of(const struct server_shape *shape)
{
	const struct hubbub_service *service = echo_service();
	struct worker_settings settings = shape->settings;

	settings.per_peer.open = server.tally != NULL ? TALLY_OPEN_MOST : 0;
	return (struct fleet_config){.processes = shape->processes,
		.threads = shape->threads,
		.heritage = {.serve = serve,
			.answer = service->answer,
			.context = service->context,
			.background = backgrounds,
			.addresses = shape->addresses,
			.settings = settings,
			.tally = server.tally},
		.drain_timeout = shape->drain_timeout,
		.hang_timeout = shape->hang_timeout,
		.max_connections = shape->max_connections,
		.balances = true};
}

/* What was opened is closed again. */
static void
close_all(void)
{
	fleet_fini(&server.fleet);
	sockets_close(&server.sockets);
	counters_free(&server.counters);
	close(server.counters_file);
	if (server.tally != NULL)
		close(server.tally_file);
	tally_free(&server.tally);
	processes_end();
}

const char *
server_begin(const struct server_shape *shape)
{
	struct fleet_config config;

	memset(&server, 0, sizeof server);
	server.shape = *shape;
	hub_event_init(&server.news);
	/* The fleet's timers and descriptors wake coroutines, which the hub does not know. */
	hub_mailbox();
	processes_begin();
	background_begin();
	server.counters = counters_new(&server.counters_file);
	server.tally = tally_new(&server.tally_file);
	config = config_of(shape);
	if (!listeners_open(&server.sockets, shape)) {
		close_all();
		return "the sockets cannot be opened";
	}
	server.fleet = (struct fleet){.loop = hub_this->loop,
		.sockets = &server.sockets,
		.counters = server.counters,
		.events = {.all_ready = on_all_ready,
			.risen = on_risen,
			.fell = on_fell,
			.all_gone = on_all_gone,
			.hopeless = on_hopeless,
			.dumped = on_dump,
			.dump_missed = on_dump_missed}};
	if (fleet_init(&server.fleet) == 0 && fleet_start(&server.fleet, &config) == 0)
		return NULL;
	close_all();
	return "the fleet cannot start";
}

void
server_wait_ready(void)
{
	wait_for(&server.is_ready);
}

static const char *
wait_changed(void)
{
	wait_for(&server.has_changed);
	return server.why;
}

const char *
server_reload(bool is_waited_for)
{
	struct fleet_config config = config_of(&server.shape);
	const char *why;

	/* Another change goes on, or nothing may change. */
	if (server.fleet.rising != NULL || server.is_leaving)
		return "no change may begin";
	server.has_changed = false;
	if (fleet_rise(&server.fleet, &config, &why) != 0)
		return why;
	return is_waited_for ? wait_changed() : NULL;
}

const char *
server_scale(unsigned processes, bool is_waited_for)
{
	const char *why;

	if (server.fleet.rising != NULL || server.is_leaving)
		return "no change may begin";
	server.has_changed = false;
	if (fleet_resize(&server.fleet, processes, &why) != 0)
		return why;
	server.has_changed |= server.fleet.rising == NULL;
	server.shape.processes = processes;
	note_deadline(hub_now() + server.shape.drain_timeout);
	return is_waited_for ? wait_changed() : NULL;
}

/* Whoever waits for a change sees none any more. */
static void
leave(enum channel_kind how, int64_t deadline)
{
	note_deadline(deadline);
	/* In the world a path is a file as long as its socket listens. */
	sockets_know_paths(&server.sockets);
	server.is_leaving = true;
	server.is_ready = server.has_changed = true;
	server.why = "the server leaves";
	fleet_leave(&server.fleet, how);
	hub_event_set(&server.news);
}

void
server_drain(void)
{
	leave(CHANNEL_DRAIN, hub_now() + server.shape.drain_timeout);
}

void
server_stop(void)
{
	leave(CHANNEL_STOP, hub_now());
}

void
server_quit(void)
{
	leave(CHANNEL_STOP, hub_now());
	fleet_kill(&server.fleet);
}

/* As log rotation does it: another file takes the log's place. */
void
server_reopen(void)
{
	int file = eventfd(0, EFD_CLOEXEC);

	if (file == -1)
		return;
	dup2(file, STDERR_FILENO);
	close(file);
	fleet_reopen(&server.fleet);
}

bool
server_is_open(void)
{
	server.has_listened |= server.sockets.listening > 0;
	return server.has_listened && !server.is_leaving;
}

bool
server_is_leaving(void)
{
	return server.is_leaving;
}

bool
server_is_late(void)
{
	return server.deadline != 0 && hub_now() >= server.deadline;
}

/* ---- the master's death ---- */

/* Nothing is heard or sent any more. Descriptors are closed, as the kernel closes them; their
 * numbers stay the master's, and refer to nothing, until it is cleaned up after. */
static void
fall_silent(struct slot *slot, void *nothing)
{
	ear_stop(server.fleet.loop, &slot->talk);
	ear_stop(server.fleet.loop, &slot->exit);
	ev_timer_stop(server.fleet.loop, &slot->healthy);
	ev_timer_stop(server.fleet.loop, &slot->respawn);
	if (slot->channel != -1)
		dup2(*(const int *)nothing, slot->channel);
}

void
server_die(void)
{
	struct fleet *fleet = &server.fleet;
	int nothing = eventfd(0, EFD_CLOEXEC);

	fleet_each(fleet, fall_silent, &nothing);
	for (struct generation *each = fleet->leaving; each != NULL; each = each->next)
		ev_timer_stop(fleet->loop, &each->deadline);
	ev_timer_stop(fleet->loop, &fleet->tick);
	ev_timer_stop(fleet->loop, &fleet->sweep);
	for (unsigned i = 0; i < server.sockets.seat_count; i++)
		for (unsigned j = 0; j < server.sockets.address_count; j++)
			dup2(nothing, server.sockets.seats[i].fds[j]);
	for (unsigned j = 0; j < server.sockets.address_count; j++)
		if (server.sockets.shared[j] != -1)
			dup2(nothing, server.sockets.shared[j]);
	close(nothing);
	processes_orphan();
	note_deadline(hub_now() + server.shape.drain_timeout);
	server.is_leaving = server.has_died = true;
	server.is_ready = server.has_changed = true;
	server.why = "the master has died";
	hub_event_set(&server.news);
}

bool
server_has_died(void)
{
	return server.has_died;
}

static void
reap(struct slot *slot, void *unused)
{
	(void)unused;
	slot_reap(slot);
}

/* Waits until the orphans have ended, and has the fleet forget them. */
static const char *
end_orphans(void)
{
	int64_t until = hub_now() + server.shape.drain_timeout + ORPHANS_MORE;
	const char *why = NULL;

	while (processes_living() > 0 && hub_now() < until)
		hub_sleep(HUB_SECOND / 10);
	if (processes_living() > 0)
		return "a worker without a master does not end";
	if (processes_deaths().sudden == 0 && !account_are_closed(server.counters))
		why = "a worker without a master has left a connection";
	fleet_each(&server.fleet, reap, NULL);
	fleet_leave(&server.fleet, CHANNEL_STOP);
	return why;
}

/* ---- the end ---- */

const char *
server_end(void)
{
	const char *why, *orphaned = server.has_died ? end_orphans() : NULL;

	if (orphaned != NULL)
		return orphaned;
	wait_for(&server.is_gone);
	if (!server.has_died)
		server.dismissed = dismissal_of_queued(&server.sockets);
	server.total = counters_total(server.counters);
	why = account_check(server.counters, &server.total, &server.shape, server.has_died);
	if (why == NULL && server.tally != NULL)
		why = account_check_peers(server.tally, &server.total);
	close_all();
	return why;
}

uint64_t
server_victims(void)
{
	return server.total.lost + server.dismissed;
}

const struct worker_row *
server_total(void)
{
	return &server.total;
}
