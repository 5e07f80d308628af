/* master->change is set from the beginning of a change to its end; pending requests wait for
 * CHANGE_NONE. A change whose generation was dropped, or that started none, ends in a timer
 * (settled), and not within the call that caused its end. */
#include "master/change/change.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/base/timer.h"
#include "master/change/ready.h"
#include "master/change/reload.h"
#include "master/change/summary.h"
#include "master/change/takeover.h"
#include "master/change/upgrade.h"
#include "master/say/history.h"
#include "master/say/notify.h"
#include "master/start/shape.h"

#define SETTLED_EVERY 0.02 /* seconds */
#define SETTLED_TRIES 3000 /* a minute */

/* ---- changes ---- */

static const char *const names[] = {
	[CHANGE_NONE] = "change",
	[CHANGE_RELOAD] = "reload",
	[CHANGE_SCALE] = "scale",
	[CHANGE_UPGRADE] = "upgrade",
};

/* Reports the end of the change, and lets the next change begin. */
static void
finish(struct master *master, const char *why)
{
	/* After a success reload_finish has made these the master's. */
	if (master->change == CHANGE_RELOAD && why != NULL)
		options_free(&master->next);
	if (why != NULL)
		summary_refused(names[master->change], why);
	else
		summary_accepted();
	ev_timer_stop(master->loop, &master->settled);
	master->change = CHANGE_NONE;
	master->fall = NULL;
	if (master->phase == MASTER_SERVING)
		ready_notify(master);
	if (master->change_events.ended != NULL)
		master->change_events.ended(master, why);
	master_do_pending(master);
}

void
master_changed(struct master *master, const char *why)
{
	const struct generation *serving = master->fleet.serving;

	if (master->change == CHANGE_NONE)
		return;
	if (why != NULL)
		history_note(LOG_ERROR, "%s failed%s: %s", names[master->change],
			master->phase == MASTER_HANDED_OVER ? "" : ", and changed nothing", why);
	else if (serving != NULL)
		history_note(LOG_INFO, "%s done: generation %u serves, %u process%s x %u thread%s",
			names[master->change], serving->number, serving->config.processes,
			log_plural(serving->config.processes, "es"), serving->config.threads,
			log_plural(serving->config.threads, "s"));
	finish(master, why);
}

/* Ends the change, if it is complete or its generation was dropped. */
static void
on_settled(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;

	(void)loop, (void)events;
	if (master->fall != NULL) {
		master_changed(master, master->fall);
		return;
	}
	if (master->fleet.rising != NULL)
		return;
	if (fleet_is_steady(&master->fleet))
		master_changed(master, NULL);
	else if (++master->settled_tries > SETTLED_TRIES)
		finish(master,
			"not all workers get ready, the log says why; the server goes on trying");
}

static void
await_settled(struct master *master)
{
	master->settled_tries = 0;
	/* May already run: a generation may be dropped while it is still being started. */
	timer_start(master->loop, &master->settled, SETTLED_EVERY, SETTLED_EVERY);
}

void
change_fell(void *context, const char *why)
{
	struct master *master = context;

	if (master->is_successor) {
		takeover_fail(master, why);
		master_stop(master, 1);
		return;
	}
	master->fall = why;
	await_settled(master);
}

void
change_risen(void *context)
{
	struct master *master = context;
	const char *why;

	if (master->is_successor) {
		takeover_risen(master);
		return;
	}
	if (fleet_listen(&master->fleet, &why) != 0) {
		fleet_abandon(&master->fleet);
		change_fell(master, why);
		return;
	}
	if (master->change == CHANGE_RELOAD)
		reload_finish(master);
	fleet_commit(&master->fleet);
	master_changed(master, NULL);
}

static int
may_change(const struct master *master, const char **why)
{
	static char busy[64];

	snprintf(busy, sizeof busy, "busy with another %s; try again when it is done",
		names[master->change]);
	*why = busy;
	if (master->change != CHANGE_NONE)
		return -1;
	*why = master->phase == MASTER_STARTING ? "the server is starting"
						: "the server is stopping";
	return master->phase == MASTER_SERVING ? 0 : -1;
}

/* Logs why a change cannot begin. */
static int
refuse(const char *what, const char *why)
{
	history_note(LOG_ERROR, "%s refused: %s", what, why);
	summary_refused(what, why);
	return -1;
}

int
master_reload(struct master *master, const char **why)
{
	if (may_change(master, why) != 0 || reload_start(master, why) != 0)
		return refuse("reload", *why);
	notify_send("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
		(long long)(clock_now() / CLOCK_MICROSECOND));
	log_info("reloading: generation %u starts", master->fleet.generations);
	master->change = CHANGE_RELOAD;
	return 0;
}

int
master_scale(struct master *master, unsigned processes, unsigned threads, const char **why)
{
	const struct fleet_config *now;
	struct fleet_config config;
	int result;

	if (may_change(master, why) != 0)
		return refuse("scale", *why);
	now = &master->fleet.serving->config;
	if (now->processes == processes && now->threads == threads &&
		fleet_is_steady(&master->fleet))
		return 0;
	*why = shape_fault(master->service, processes, threads);
	if (*why == NULL && (size_t)processes * threads > SOCKETS_SEATS_MAX)
		*why = SOCKETS_TOO_MANY;
	if (*why != NULL)
		return refuse("scale", *why);
	config = *now;
	config.processes = processes;
	config.threads = threads;
	result = now->threads == threads ? fleet_resize(&master->fleet, processes, why)
					 : fleet_rise(&master->fleet, &config, why);
	if (result != 0)
		return refuse("scale", *why);
	master->change = CHANGE_SCALE;
	await_settled(master);
	return 0;
}

int
master_upgrade(struct master *master, const char **why)
{
	if (may_change(master, why) != 0 || upgrade_start(master, why) != 0)
		return refuse("upgrade", *why);
	master->change = CHANGE_UPGRADE;
	return 0;
}

/* ---- pending changes ---- */

static bool
is_pending(const struct master *master)
{
	return master->pending.reload || master->pending.upgrade || master->pending.workers != 0;
}

/* Writes a list such as "reload, 2 workers more". Returns where it begins in text. */
static const char *
write_pending(const struct master *master, char *text, size_t size)
{
	int workers = master->pending.workers, length;

	length = snprintf(text, size, "%s%s", master->pending.reload ? ", reload" : "",
		master->pending.upgrade ? ", upgrade" : "");
	if (workers != 0)
		snprintf(text + length, size - (size_t)length, ", %d worker%s %s", abs(workers),
			log_plural((unsigned)abs(workers), "s"), workers > 0 ? "more" : "fewer");
	return text + strlen(", ");
}

/* Passes pending requests on to the new master, which serves now. */
static void
pass_on(struct master *master)
{
	struct pending *pending = &master->pending;
	char text[64];
	const char *passed = write_pending(master, text, sizeof text);

	if ((pending->workers != 0 && !successor_pass_workers(master, pending->workers)) ||
		(pending->reload && !successor_pass_signal(master, SIGHUP)) ||
		(pending->upgrade && !successor_pass_signal(master, SIGUSR2)))
		return;
	log_info("passed on to the new master: %s", passed);
	*pending = (struct pending){0};
}

static void
add_workers(struct master *master, int workers)
{
	const struct generation *serving = master->fleet.serving;
	int now = serving != NULL ? (int)serving->config.processes : 0;
	const char *why;

	if (now == 0)
		return;
	if (now + workers < 1)
		log_warning("the last worker stays");
	if (now + workers < 1)
		workers = 1 - now;
	if (workers != 0)
		master_scale(master, (unsigned)(now + workers), serving->config.threads, &why);
}

/* Begins one pending change; the next follows whether or not this one succeeds. The upgrade comes
 * last: new options may have been written for the new program. */
static void
on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;
	struct pending pending = master->pending;
	const char *why;

	(void)loop, (void)events;
	if (master->change != CHANGE_NONE || master->phase != MASTER_SERVING)
		return;
	if (pending.reload) {
		master->pending.reload = false;
		master_reload(master, &why);
	} else if (pending.workers != 0) {
		master->pending.workers = 0;
		add_workers(master, pending.workers);
	} else if (pending.upgrade) {
		master->pending.upgrade = false;
		master_upgrade(master, &why);
	}
	master_do_pending(master);
}

void
master_do_pending(struct master *master)
{
	if (!is_pending(master))
		return;
	if (master->phase == MASTER_HANDED_OVER && master->change == CHANGE_NONE)
		pass_on(master);
	else if (master->phase == MASTER_SERVING && master->change == CHANGE_NONE)
		ev_timer_start(master->loop, &master->again);
}

/* A request has become pending: logs that it has to wait, or refuses it if the server stops. */
static void
note_pending(struct master *master, const char *what)
{
	if (master->phase == MASTER_DELAYING || master->phase == MASTER_DRAINING) {
		refuse(what, "the server is stopping");
		master->pending = (struct pending){0};
	} else if (master->change != CHANGE_NONE || master->phase == MASTER_STARTING) {
		history_note(LOG_INFO, "%s: when the %s is done", what,
			master->change != CHANGE_NONE ? names[master->change] : "start");
	}
	master_do_pending(master);
}

void
master_reload_later(struct master *master)
{
	/* Also during a reload: the option files may have changed since that reload read them. */
	master->pending.reload = true;
	note_pending(master, names[CHANGE_RELOAD]);
}

void
master_upgrade_later(struct master *master)
{
	master->pending.upgrade = true;
	note_pending(master, names[CHANGE_UPGRADE]);
}

void
master_add_workers_later(struct master *master, int workers)
{
	master->pending.workers += workers;
	note_pending(master, workers > 0 ? "a worker more" : "a worker fewer");
}

/* ---- stopping ---- */

/* Added to the time told to the service manager: workers may have to be killed at the deadline. */
#define SPARE (10 * CLOCK_SECOND)

static void
forget_pending(struct master *master)
{
	char text[64];

	if (is_pending(master) && master->phase != MASTER_HANDED_OVER)
		log_info("forgotten, because the server stops: %s",
			write_pending(master, text, sizeof text));
	master->pending = (struct pending){0};
	ev_timer_stop(master->loop, &master->again);
}

/* Drops the rising generation, of this master or of a new master. */
static void
give_up_change(struct master *master)
{
	forget_pending(master);
	upgrade_abandon(master);
	if (master->phase == MASTER_HANDED_OVER)
		return;
	takeover_leave(master);
	fleet_abandon(&master->fleet);
	if (master->change != CHANGE_NONE)
		master_changed(master, "the server is stopping");
}

static void
drain(struct master *master)
{
	double seconds = clock_seconds(master->options.drain_timeout);
	uint64_t open = fleet_open(&master->fleet);

	log_info("stopping: %lu connection%s open, %s %g s to end", (unsigned long)open,
		open == 1 ? " is" : "s are", open == 1 ? "it has" : "they have", seconds);
	master->phase = MASTER_DRAINING;
	fleet_leave(&master->fleet, CHANNEL_DRAIN);
}

static void
on_delay_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	drain(timer->data);
}

void
master_drain(struct master *master)
{
	double delay = clock_seconds(master->options.drain_delay);
	int64_t longest = master->options.drain_delay + master->options.drain_timeout + SPARE;

	if (master->phase > MASTER_SERVING)
		return;
	give_up_change(master);
	/* The upgrade turned out to have succeeded: the new master is to drain. */
	if (master->phase == MASTER_HANDED_OVER) {
		successor_pass_drain(master);
		return;
	}
	/* Without this the manager would kill the server after its own timeout, if that is
	 * shorter. */
	notify_send("STOPPING=1\nEXTEND_TIMEOUT_USEC=%ld\nSTATUS=draining",
		(long)(longest / CLOCK_MICROSECOND));
	if (delay <= 0) {
		drain(master);
		return;
	}
	log_info("stopping: accepting connections for another %g s", delay);
	master->phase = MASTER_DELAYING;
	timer_after(master->loop, &master->delay, delay);
}

void
master_stop(struct master *master, int exit_code)
{
	master->is_stopped = true;
	give_up_change(master);
	/* Of two masters only the owner of the server may say so. */
	if (master->phase != MASTER_HANDED_OVER && !master->is_successor)
		notify_send("STOPPING=1");
	takeover_stop(master);
	master->exit_code = exit_code;
	if (master->phase != MASTER_HANDED_OVER)
		master->phase = MASTER_DRAINING;
	ev_timer_stop(master->loop, &master->delay);
	fleet_kill(&master->fleet);
}

void
master_end_if_gone(struct master *master)
{
	if (master->phase >= MASTER_DRAINING && fleet_is_gone(&master->fleet) &&
		!upgrade_must_stay(master) && !takeover_must_stay(master))
		ev_break(master->loop, EVBREAK_ALL);
}

void
change_init(struct master *master)
{
	ev_init(&master->settled, on_settled);
	ev_init(&master->delay, on_delay_over);
	ev_timer_init(&master->again, on_again, 0., 0.);
	master->settled.data = master->delay.data = master->again.data = master;
}
