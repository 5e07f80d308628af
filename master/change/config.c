/* The present shape is kept if the options ask for the same as before (0 for auto). A reload also
 * compares what auto comes to, since the number of CPUs may have changed. */
#include "master/change/config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/base/oversize.h"
#include "master/change/takeover.h"
#include "master/start/service.h"
#include "worker/per_peer.h"
#include "worker/recorders.h"

static int
find_listeners(struct master *master)
{
	const struct sockets *sockets = &master->sockets;

	for (unsigned i = 0; i < sockets->address_count; i++) {
		const char *name = sockets->addresses[i].listener;

		master->listeners[i] =
			name[0] != '\0' ? service_listener(master->service, name) : NULL;
		if (name[0] == '\0' || master->listeners[i] != NULL)
			continue;
		log_error("%s has no listener '%s'", master->service->name, name);
		return -1;
	}
	return 0;
}

int
config_make_tally(struct master *master, const struct options *options)
{
	if (master->tally != NULL || !per_peer_is_limited(&options->worker))
		return 0;
	master->tally = tally_new(&master->handed_on.tally);
	return master->tally != NULL ? 0 : -1;
}

/* A server that cannot record serves. */
static void
make_recorders(struct master *master)
{
	size_t size = master->options.flight_recorder;

	master->fleet.recorders = recorders_new(size != 0 ? size : RECORDERS_SIZE_DEFAULT);
	if (size != 0)
		recorders_extend(master->fleet.recorders, INT64_MAX);
	if (size != 0 && master->fleet.recorders == NULL)
		log_warning("the flight recorder is off: %s%s", strerror(errno),
			oversize_advice(errno));
}

int
config_prepare(struct master *master)
{
	if (find_listeners(master) != 0)
		return -1;
	make_recorders(master);
	if (config_make_tally(master, &master->options) == 0)
		return 0;
	log_error("cannot count the connections of each peer: %s%s", strerror(errno),
		oversize_advice(errno));
	return -1;
}

void
config_end(struct master *master)
{
	recorders_free(master->fleet.recorders);
	tally_free(&master->tally);
	if (master->handed_on.tally != -1)
		close(master->handed_on.tally);
}

struct fleet_config
config_of(const struct master *master, const struct options *options)
{
	struct fleet_config config = {
		.processes = options->processes,
		.threads = options->threads,
		.drain_timeout = options->drain_timeout,
		.hang_timeout = options->hang_timeout,
		.max_connections = options->max_connections,
		.balances = !options->balances_by_hash,
		.captures = options->captures,
		.heritage =
			{
				.serve = master->service->serve,
				.answer = master->service->answer,
				.context = master->service->context,
				.hooks = master->service->hooks,
				.background = master->service->background,
				.commands = master->service->commands,
				.addresses = master->sockets.address_count,
				.listeners = master->listeners,
				.tally = master->tally,
				.settings = options->worker,
			},
	};

	return config;
}

struct fleet_config
config_of_next(const struct master *master)
{
	const struct options *now = &master->options, *next = &master->next;
	const struct fleet_config *serving = &master->fleet.serving->config;
	struct fleet_config config = config_of(master, next);

	config.heritage.is_reloaded = true;
	if (now->asked_processes == next->asked_processes &&
		now->asked_threads == next->asked_threads && next->processes == now->processes &&
		next->threads == now->threads) {
		config.processes = serving->processes;
		config.threads = serving->threads;
	}
	return config;
}

struct fleet_config
config_of_successor(const struct master *master)
{
	const struct former *former = master->former;
	struct fleet_config config = config_of(master, &master->options);

	config.heritage.is_reloaded = true;
	if (former->asked_processes == master->options.asked_processes &&
		former->asked_threads == master->options.asked_threads) {
		config.processes = former->processes;
		config.threads = former->threads;
	}
	return config;
}
