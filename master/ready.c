#include "master/ready.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/notify.h"

const char *const ready_phase_names[MASTER_PHASE_MAX] = {
	[MASTER_STARTING] = "starting",
	[MASTER_SERVING] = "serving",
	[MASTER_DELAYING] = "about to drain",
	[MASTER_DRAINING] = "draining",
	[MASTER_HANDED_OVER] = "handed over",
};

bool
ready_is(const struct master *master)
{
	return master->phase == MASTER_SERVING && fleet_accepting(&master->fleet) > 0;
}

static void
print_line(const struct master *master)
{
	const struct sockets *sockets = &master->sockets;
	const struct fleet_config *config = &master->fleet.serving->config;
	char line[ADDRESSES_MAX * ADDRESS_TEXT_SIZE + 128] = "ready: ";
	char text[ADDRESS_TEXT_SIZE];
	size_t length = strlen(line);

	for (unsigned i = 0; i < sockets->address_count; i++) {
		address_format(&sockets->addresses[i], text);
		length += (size_t)snprintf(line + length, sizeof line - length, "%s, ", text);
	}
	length += (size_t)snprintf(line + length, sizeof line - length,
		"%u processes x %u threads, pid %d\n", config->processes, config->threads,
		(int)getpid());
	log_bare(line, length);
}

void
ready_begin(struct master *master)
{
	master->phase = MASTER_SERVING;
	print_line(master);
}

void
ready_notify(const struct master *master)
{
	const struct fleet_config *config = &master->fleet.serving->config;

	notify_send("READY=1\nMAINPID=%d\nSTATUS=serving, %u process%s x %u thread%s",
		(int)getpid(), config->processes, log_plural(config->processes, "es"),
		config->threads, log_plural(config->threads, "s"));
}
