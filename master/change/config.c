/* The present shape is kept if the options ask for the same as before (0 for auto). A reload also
 * compares what auto comes to, since the number of CPUs may have changed. */
#include "master/change/config.h"

#include "hub/base/log.h"
#include "master/change/takeover.h"
#include "master/start/service.h"

int
config_find_listeners(struct master *master)
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
		.heritage =
			{
				.serve = master->service->serve,
				.answer = master->service->answer,
				.context = master->service->context,
				.hooks = master->service->hooks,
				.background = master->service->background,
				.addresses = master->sockets.address_count,
				.listeners = master->listeners,
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
