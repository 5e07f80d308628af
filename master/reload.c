#include "master/reload.h"

#include <stdio.h>
#include <string.h>

#include "hub/base/log.h"
#include "master/config.h"
#include "master/events.h"
#include "master/notify.h"
#include "master/options_compare.h"

int
reload_start(struct master *master, const char **why)
{
	static char error[512];
	struct fleet_config config;
	struct options_difference difference;
	int result = options_read(&master->next, master->argc, master->argv, master->service, true,
		error, sizeof error);

	if (result == 0) {
		difference = options_compare(&master->options, &master->next, master->service);
		result = difference.names[0] == '\0' ? 0 : -1;
	}
	if (result != 0 && error[0] == '\0')
		snprintf(error, sizeof error,
			"%s cannot change by a reload; %s the server for that", difference.names,
			difference.change == HUBBUB_UPGRADABLE ? "upgrade" : "restart");
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
	counters_note(&counters_server(master->counters)->reloads, 1);
}
