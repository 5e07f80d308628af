/* Until the generation has risen, its options are in master->next, and master->options stay in
 * force; workers of the serving generation that are replaced meanwhile are forked with the
 * latter. */
#include "master/change/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/log.h"
#include "hub/io/resumption.h"
#include "master/change/config.h"
#include "master/say/history.h"
#include "master/say/notify.h"
#include "master/start/options_compare.h"

/* Whether a file that is empty now gave options in use: it is probably still being written. */
static bool
is_cut_off(const struct arguments *now, const struct arguments *next)
{
	for (int i = 0; next->empty != NULL && i < now->count; i++)
		if (now->files[i] != NULL && strcmp(now->files[i], next->empty) == 0)
			return true;
	return false;
}

int
reload_start(struct master *master, const char **why)
{
	static char error[512];
	struct fleet_config config;
	struct options_difference difference;
	int result = options_read(&master->next, master->argc, master->argv, master->service, true,
		error, sizeof error);

	if (result == 0 && is_cut_off(&master->options.arguments, &master->next.arguments)) {
		snprintf(error, sizeof error,
			"%s is empty, but had options before: is it still being written? A line "
			"with # says that no options are meant",
			master->next.arguments.empty);
		result = -1;
	}
	if (result == 0) {
		difference = options_compare(&master->options, &master->next, master->service);
		result = difference.names[0] == '\0' ? 0 : -1;
	}
	if (result != 0 && error[0] == '\0')
		snprintf(error, sizeof error,
			"%s cannot change by a reload; %s the server for that", difference.names,
			difference.change == HUBBUB_UPGRADABLE ? "upgrade" : "restart");
	if (result == 0 &&
		resumption_begin(master->next.worker.tls, master->next.ticket_lifetime) != 0) {
		snprintf(error, sizeof error, "no keys of session tickets: %s", strerror(errno));
		result = -1;
	}
	if (result == 0 && config_make_tally(master, &master->next) != 0) {
		snprintf(error, sizeof error, "cannot count the connections of each peer: %s",
			strerror(errno));
		result = -1;
	}
	*why = error;
	if (result == 0) {
		resumption_keep(master->next.worker.tls, master->options.worker.tls);
		config = config_of_next(master);
		/* The new workers are forked while the new options are in use; below, the former
		 * options come into use again. */
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
	/* Former workers that write to a file go on in this one; the former file is closed. */
	fleet_reopen_access(&master->fleet, master->options.worker.access_file);
	counters_note(&counters_server(master->counters)->reloads, 1);
	sockets_look_again(&master->sockets);
}
