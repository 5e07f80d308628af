#include "master/reload.h"

#include <stdio.h>
#include <string.h>

#include "hub/base/log.h"
#include "master/config.h"
#include "master/events.h"
#include "master/notify.h"

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* What the master itself is made of stays as it is. Returns the name of an option that differs, or
 * NULL. */
static const char *
find_fixed(const struct options *now, const struct options *next)
{
	if (now->listen_count != next->listen_count)
		return "listen";
	for (size_t i = 0; i < now->listen_count; i++)
		if (!same(now->listen[i], next->listen[i]))
			return "listen";
	if (!same(now->admin, next->admin))
		return "admin";
	if (!same(now->agent, next->agent))
		return "agent";
	if (!same(now->control, next->control))
		return "control";
	if (!same(now->pidfile, next->pidfile))
		return "pidfile";
	if (!same(now->user, next->user))
		return "user";
	if (!same(now->group, next->group))
		return "group";
	return now->backlog != next->backlog ? "backlog" : NULL;
}

int
reload_start(struct master *master, const char **why)
{
	static char error[512];
	struct fleet_config config;
	const char *fixed;
	int result = options_read(&master->next, master->argc, master->argv, master->service, true,
		error, sizeof error);

	if (result == 0 && (fixed = find_fixed(&master->options, &master->next)) != NULL) {
		snprintf(error, sizeof error,
			"--%s cannot change by a reload; restart the server for that", fixed);
		result = -1;
	}
	*why = error;
	if (result == 0) {
		config = config_of_next(master);
		/* Workers are forked with what the new options have set; those of the present
		 * generation that are replaced meanwhile, with what they had. */
		options_use(&master->next, master->service);
		result = fleet_rise(&master->fleet, &config, why);
	}
	options_use(&master->options, master->service);
	if (result != 0)
		options_free(&master->next);
	return result;
}

void
reload_finish(struct master *master)
{
	options_free(&master->options);
	master->options = master->next;
	master->next = (struct options){0};
	options_use(&master->options, master->service);
	log_setup(master->service->name, master->options.log_level, master->options.log_format);
	counters_note(&counters_server(master->counters)->reloads, 1);
}
