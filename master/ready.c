#include "master/ready.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/events.h"
#include "master/notify.h"

#define STATUS_SIZE 80
#define WATCH_EVERY 0.1 /* seconds */

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
	return master->phase == MASTER_SERVING && fleet_living(&master->fleet) > 0;
}

bool
ready_is_live(const struct master *master)
{
	const struct fleet *fleet = &master->fleet;

	if (master->phase > MASTER_SERVING || fleet_living(fleet) > 0)
		return true;
	return fleet_is_replacing(fleet) && fleet->replacing < fleet_patience(fleet);
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
		"%u process%s x %u thread%s, pid %d\n", config->processes,
		log_plural(config->processes, "es"), config->threads,
		log_plural(config->threads, "s"), (int)getpid());
	log_bare(LOG_INFO, line, length);
}

void
ready_begin(struct master *master)
{
	master->phase = MASTER_SERVING;
	master->is_said_ready = master->is_said_live = true;
	print_line(master);
}

/* ---- the service manager ---- */

static void
describe(const struct master *master, char text[static STATUS_SIZE])
{
	const struct fleet_config *config = &master->fleet.serving->config;

	if (ready_is(master))
		snprintf(text, STATUS_SIZE, "serving, %u process%s x %u thread%s",
			config->processes, log_plural(config->processes, "es"), config->threads,
			log_plural(config->threads, "s"));
	else
		snprintf(text, STATUS_SIZE, "not ready: %s",
			fleet_accepting(&master->fleet) > 0 ? "no hub gives a sign of life"
							    : "no worker serves");
}

void
ready_notify(const struct master *master)
{
	char text[STATUS_SIZE];

	describe(master, text);
	notify_send("READY=1\nMAINPID=%d\nSTATUS=%s", (int)getpid(), text);
}

static void
say_ready(struct master *master)
{
	char text[STATUS_SIZE];

	describe(master, text);
	master->is_said_ready = !master->is_said_ready;
	if (master->is_said_ready)
		events_note(LOG_INFO, "ready again");
	else
		events_note(LOG_ERROR, "%s", text);
	/* What a change is about is said until it ends. */
	if (master->change == CHANGE_NONE)
		notify_send("STATUS=%s", text);
}

static void
say_live(struct master *master)
{
	master->is_said_live = !master->is_said_live;
	if (!master->is_said_live)
		events_note(LOG_ERROR,
			"not live: no hub gives a sign of life, and no worker that starts gets "
			"ready; /livez fails, and the service manager's watchdog hears nothing");
}

static void
on_watch(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;

	(void)loop, (void)events;
	if (master->phase != MASTER_SERVING)
		return;
	if (master->is_said_ready != ready_is(master))
		say_ready(master);
	if (master->is_said_live != ready_is_live(master))
		say_live(master);
}

void
ready_watch(struct master *master)
{
	ev_timer_init(&master->watch, on_watch, WATCH_EVERY, WATCH_EVERY);
	master->watch.data = master;
	ev_timer_start(master->loop, &master->watch);
}
