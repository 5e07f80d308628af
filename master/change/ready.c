/* Every 0.1 s the two answers are compared with what was last reported (is_said_ready,
 * is_said_live), and a difference is logged once. Every 5 s the line of status is made anew for the
 * service manager. */
#include "master/change/ready.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/change/summary.h"
#include "master/say/history.h"
#include "master/say/notify.h"

#define WATCH_EVERY 0.1 /* seconds */
#define TELL_EVERY 5.   /* seconds */

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

	/* A drain is ended by its own deadline, not by a failing probe. */
	if (master->phase > MASTER_SERVING || fleet_living(fleet) > 0)
		return true;
	return fleet_is_replacing(fleet) && fleet->replacing < fleet_patience(fleet);
}

static void
print_line(const struct master *master)
{
	const struct sockets *sockets = &master->sockets;
	const struct fleet_config *config = &master->fleet.serving->config;
	char line[ADDRESSES_MAX * ADDRESS_LISTENED_SIZE + 128] = "ready: ";
	char text[ADDRESS_LISTENED_SIZE];
	size_t length = strlen(line);

	for (unsigned i = 0; i < sockets->address_count; i++) {
		address_format_listened(&sockets->addresses[i], text);
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

/* Why a server in the phase MASTER_SERVING is not ready. */
static const char *
find_fault(const struct master *master)
{
	return fleet_accepting(&master->fleet) > 0 ? "not ready: no hub gives a sign of life"
						   : "not ready: no worker serves";
}

static void
describe(const struct master *master, char text[static SUMMARY_SIZE])
{
	uint64_t open;

	if (ready_is(master)) {
		summary_write(master, text);
	} else if (master->phase == MASTER_SERVING) {
		snprintf(text, SUMMARY_SIZE, "%s", find_fault(master));
	} else {
		open = fleet_open(&master->fleet);
		snprintf(text, SUMMARY_SIZE, "%s, %lu connection%s",
			ready_phase_names[master->phase], (unsigned long)open,
			log_plural(open, "s"));
	}
}

void
ready_notify(struct master *master)
{
	char text[SUMMARY_SIZE];

	describe(master, text);
	notify_send("READY=1\nMAINPID=%d\nSTATUS=%s", (int)getpid(), text);
	if (!ev_is_active(&master->tell) && master->tell.repeat > 0)
		ev_timer_again(master->loop, &master->tell);
}

/* Sends the status with its present numbers; not during a change, whose own status stays until the
 * change ends. */
static void
on_tell(struct ev_loop *loop, ev_timer *timer, int events)
{
	const struct master *master = timer->data;
	char text[SUMMARY_SIZE];

	(void)loop, (void)events;
	if (master->change != CHANGE_NONE || master->is_stopped ||
		master->phase == MASTER_STARTING || master->phase == MASTER_HANDED_OVER)
		return;
	describe(master, text);
	notify_status(text);
}

static void
say_ready(struct master *master)
{
	char text[SUMMARY_SIZE];

	master->is_said_ready = !master->is_said_ready;
	if (master->is_said_ready)
		history_note(LOG_INFO, "ready again");
	else
		history_note(LOG_ERROR, "%s", find_fault(master));
	if (master->change != CHANGE_NONE)
		return;
	describe(master, text);
	notify_send("STATUS=%s", text);
}

static void
say_live(struct master *master)
{
	master->is_said_live = !master->is_said_live;
	if (!master->is_said_live)
		history_note(LOG_ERROR,
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
	/* ready_notify starts this timer: in an upgrade the service manager does not know this
	 * master yet. */
	ev_timer_init(&master->tell, on_tell, TELL_EVERY, TELL_EVERY);
	master->tell.data = master;
}
