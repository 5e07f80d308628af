/* hubbub_main: the master's life. Options, limits, sockets, privileges, workers, then a libev loop
 * until the last worker has left. Here the rooms are connected: this file sets the events of the
 * fleet and of the upgrade.
 *
 * One thread, no coroutines, and nothing in the loop blocks. */
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "hub/io/resumption.h"
#include "master/base/ear.h"
#include "master/base/numerals.h"
#include "master/base/output.h"
#include "master/base/oversize.h"
#include "master/change/change.h"
#include "master/change/config.h"
#include "master/change/handover.h"
#include "master/change/ready.h"
#include "master/change/reopen.h"
#include "master/change/takeover.h"
#include "master/change/upgrade.h"
#include "master/face/admin.h"
#include "master/face/control.h"
#include "master/face/doors.h"
#include "master/face/offered.h"
#include "master/face/recent.h"
#include "master/face/signals.h"
#include "master/fleet/lookup.h"
#include "master/master.h"
#include "master/say/capture.h"
#include "master/say/log_json.h"
#include "master/say/logfile.h"
#include "master/say/notify.h"
#include "master/server.h"
#include "master/sockets/activation.h"
#include "master/sockets/dismissal.h"
#include "master/start/limits.h"
#include "master/start/program.h"
#include "master/start/sandbox.h"
#include "master/start/service.h"
#include "worker/flush.h"
#include "worker/spare.h"

#define SPARE_SEATS 64 /* bound before privileges are dropped */

/* ---- events ---- */

static void
took_over(struct master *master)
{
	doors_open(master);
	ready_begin(master);
	master_do_pending(master);
}

static void
all_ready(void *context)
{
	ready_begin(context);
	ready_notify(context);
	master_do_pending(context);
}

static void
leave(void *context)
{
	master_end_if_gone(context);
}

static void
give_up(void *context)
{
	master_stop(context, 1);
}

static void
dumped(void *context, int64_t number)
{
	control_dumped(((struct master *)context)->control, number);
}

static void
dump_missed(void *context, int64_t number, unsigned hubs)
{
	control_dump_missed(((struct master *)context)->control, number, hubs);
}

static void
released(struct master *master)
{
	doors_close(master, false);
}

static const struct upgrade_events upgrade_events = {
	.offered = doors_pause,
	.kept = doors_open,
	.handed_over = doors_hand_over,
	.released = released,
	.ended = master_changed,
	.took_over = took_over,
	.reopened = successor_reopen,
	.add_workers = master_add_workers_later,
	.may_end = master_end_if_gone,
	.drain = master_drain,
	.stop = master_stop,
};

/* ---- the service manager's watchdog ---- */

/* Seconds between pings at most, whatever the interval: after a time in which the server was not
 * live, the next ping must come well before the manager's interval is over. */
#define PING_EVERY_MOST 1.

/* A former master must not ping once its successor is named: the successor may hang. */
static bool
may_ping(const struct master *master)
{
	return master->phase != MASTER_HANDED_OVER || upgrade_must_stay(master);
}

static void
on_watchdog_ping(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	if (may_ping(timer->data) && ready_is_live(timer->data))
		notify_alive();
}

static void
start_watchdog_ping(struct master *master)
{
	double every = clock_seconds(notify_watchdog()) / 3;

	if (every <= 0)
		return;
	if (every > PING_EVERY_MOST)
		every = PING_EVERY_MOST;
	ev_timer_init(&master->watchdog_ping, on_watchdog_ping, every, every);
	master->watchdog_ping.data = master;
	ev_timer_start(master->loop, &master->watchdog_ping);
}

/* ---- the keys of session tickets ---- */

/* Of two masters only the owner of the server rotates the keys, and not during the hand-over. */
static void
on_keys(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;

	(void)loop, (void)events;
	if (!master->is_successor && master->phase != MASTER_HANDED_OVER &&
		master->change != CHANGE_UPGRADE)
		resumption_rotate(master->options.worker.tls);
}

/* Makes keys of this master's own; handover_inherit may replace them. */
static int
make_keys(const struct options *options)
{
	if (resumption_begin(options->worker.tls, options->ticket_lifetime) == 0)
		return 0;
	log_error("cannot make keys of session tickets: %s", strerror(errno));
	return -1;
}

static void
start_rotation(struct master *master)
{
	ev_timer_init(&master->keys, on_keys, 1., 1.);
	master->keys.data = master;
	ev_timer_start(master->loop, &master->keys);
}

/* ---- starting ---- */

static int
prepare_fleet(struct master *master)
{
	struct fleet *fleet = &master->fleet;

	fleet->loop = master->loop;
	fleet->sockets = &master->sockets;
	fleet->counters = master->counters;
	fleet->generations = master->former->generations;
	fleet->events = (struct fleet_events){
		.all_ready = all_ready,
		.risen = change_risen,
		.fell = change_fell,
		.all_gone = leave,
		.hopeless = give_up,
		.dumped = dumped,
		.dump_missed = dump_missed,
		.context = master,
	};
	if (fleet_init(fleet) == 0)
		return 0;
	fleet->loop = NULL;
	log_error("cannot start: no memory");
	return -1;
}

/* Opens everything that needs privileges or that a second server would find taken, then drops the
 * privileges. */
static int
open_all(struct master *master)
{
	struct options *options = &master->options;
	unsigned seats = options->processes * options->threads;

	if (master->privileges.changes && seats < SPARE_SEATS)
		seats = SPARE_SEATS;
	if (activation_take(&master->sockets) != 0)
		return -1;
	master->counters = counters_new(&master->handed_on.counters);
	if (master->counters == NULL) {
		log_error(
			"cannot make the counters: %s%s", strerror(errno), oversize_advice(errno));
		return -1;
	}
	if (sockets_open(&master->sockets, seats) != 0 || doors_prepare(master) != 0)
		return -1;
	reopen_prepare(master);
	if (privileges_assume(&master->privileges) != 0)
		return -1;
	reopen_check(master);
	master->sockets.can_bind = !master->privileges.changes;
	return 0;
}

static int
start_fleet(struct master *master)
{
	struct fleet_config config = config_of_successor(master);
	const char *why;

	if (master->is_successor) {
		if (fleet_rise(&master->fleet, &config, &why) == 0)
			return 0;
		takeover_fail(master, why);
		return -1;
	}
	config = config_of(master, &master->options);
	if (fleet_start(&master->fleet, &config) == 0)
		return 0;
	log_error("cannot start: %s", strerror(errno));
	return -1;
}

static void
say_done(struct master *master)
{
	struct worker_row total = counters_total(master->counters);

	if (master->phase == MASTER_HANDED_OVER)
		log_info("the former workers are gone; so is this master");
	else
		log_info("stopped: served %lu connection%s, received %lu bytes, sent %lu",
			(unsigned long)total.accepted, log_plural(total.accepted, "s"),
			(unsigned long)total.hub.bytes_received,
			(unsigned long)total.hub.bytes_sent);
}

static int
supervise(struct master *master)
{
	const struct options *options = &master->options;
	bool is_successor = handover_is_there();

	if (privileges_find(&master->privileges, options->user, options->group) != 0 ||
		limits_raise((unsigned)options->address_count, options->processes,
			options->threads) != 0 ||
		sockets_init(&master->sockets, options->addresses, (unsigned)options->address_count,
			(int)options->backlog) != 0 ||
		make_keys(options) != 0 ||
		(is_successor ? handover_inherit(master) : open_all(master)) != 0 ||
		config_prepare(master) != 0 || doors_build(master) != 0 ||
		prepare_fleet(master) != 0)
		return 1;
	if (!is_successor)
		limits_warn(options->backlog, (unsigned)options->address_count, options->threads);
	log_count_lost(&counters_server(master->counters)->log_lost);
	signals_watch(master);
	change_init(master);
	if (is_successor)
		takeover_listen(master);
	if (start_fleet(master) != 0)
		return 1;
	/* The doors of a new master stay closed until the former master has handed over. */
	if (!is_successor)
		doors_open(master);
	start_watchdog_ping(master);
	ready_watch(master);
	start_rotation(master);
	ev_run(master->loop, 0);
	say_done(master);
	return master->exit_code;
}

/* Resets what this process has inherited from its parent: open fds, signal mask, handlers. */
static void
prepare_process(void)
{
	sigset_t none;
	int last = activation_last(), fd;

	/* A new master runs as --user from its exec on, so it must not be dumpable from the
	 * start. */
	if (handover_is_there())
		privileges_hide_for_now();
	/* Opens file descriptors 0 to 2, so that no socket becomes one of them and gets log lines,
	 * and all that the service manager says it has passed. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= last);
	if (fd > last)
		close(fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	oversize_survive();
	spare_keep();
}

static int
check(struct master *master)
{
	if (privileges_find(&master->privileges, master->options.user, master->options.group) != 0)
		return 1;
	if (master->options.prints_config)
		options_print(&master->options, master->service, stdout);
	else
		printf("%s: the options are valid\n", master->service->name);
	options_free(&master->options);
	return output_end();
}

static void
close_all(struct master *master)
{
	bool is_ours = master->phase != MASTER_HANDED_OVER && !master->is_successor;
	size_t gone = is_ours && master->phase == MASTER_DRAINING
			      ? dismissal_of_queued(&master->sockets)
			      : 0;

	if (gone > 0)
		log_warning("%lu client%s still waited for a connection at the end, and %s let go",
			(unsigned long)gone, log_plural(gone, "s"), gone == 1 ? "was" : "were");
	/* First, so that a server that is waiting for these addresses can start. */
	sockets_close(&master->sockets);
	doors_close(master, is_ours);
	recent_forget();
	upgrade_fini(master);
	takeover_fini(master);
	fleet_fini(&master->fleet);
	/* A server that ends because its workers crash waits for the backtraces; a server that is
	 * stopped at once does not. */
	lookups_end(!master->is_stopped || master->exit_code == 1);
	capture_end();
	log_count_lost(NULL);
	counters_free(&master->counters);
	if (master->handed_on.counters != -1)
		close(master->handed_on.counters);
	config_end(master);
	notify_stop();
	ev_loop_destroy(master->loop);
	options_free(&master->options);
}

/* From the options to the end of the last worker. Returns the exit code. */
static int
live(struct master *master)
{
	const struct hubbub_service *service = master->service;
	const struct options *options = &master->options;
	int code;

	options_parse(&master->options, master->argc, master->argv, service);
	privileges_hide(options->user);
	log_setup(service->name, options->log_level, options->log_format);
	options_warn(service);
	notify_init();
	if (options->cpus != 0 && !options->prints_config)
		log_info("%u CPU%s allowed: %u process%s x %u thread%s", options->cpus,
			log_plural(options->cpus, "s"), options->processes,
			log_plural(options->processes, "es"), options->threads,
			log_plural(options->threads, "s"));
	if (options->check || options->prints_config)
		return check(master);
	if (!handover_is_there() && sandbox_check() != 0)
		return 1;
	/* Not libev's default loop, which would reap every child before its pidfd is read. */
	master->loop = ear_loop_new();
	if (master->loop == NULL) {
		log_error("cannot start: no event loop (limit on files, memory, or "
			  "fs.epoll.max_user_watches?)");
		return 1;
	}
	notify_start(master->loop);
	code = supervise(master);
	close_all(master);
	return code;
}

int
hubbub_main(int argc, char **argv, const struct hubbub_service *service)
{
	static struct master master;
	static struct successor successor;
	static struct former former;
	const char *fault = service_fault(service);
	int code;

	log_json_by(log_json_line);
	if (fault == NULL)
		fault = offered_fault(service, admin_has_page);
	if (fault == NULL && (argc < 1 || argv == NULL || argv[0] == NULL))
		fault = "hubbub_main needs the arguments of main, with the program's name";
	if (fault != NULL)
		return options_refuse(argc, argv, fault);
	master = (struct master){.service = service,
		.argc = argc,
		.argv = argv,
		.started = (int64_t)time(NULL),
		.handed_on = HANDED_ON_NONE,
		.successor = &successor,
		.former = &former,
		.upgrade_events = upgrade_events};
	service_count(service);
	list_init(&master.asks);
	upgrade_init(&successor);
	takeover_init(&former);
	prepare_process();
	program_remember();
	logfile_remember();
	numerals_begin();
	code = live(&master);
	numerals_end();
	/* Within a time limit: exit(3) would wait for ever for a reader that does not read. */
	flush_streams();
	return code;
}
