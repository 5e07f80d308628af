/* hubbub_main: the master's life, top to bottom.
 *
 * Options, limits, sockets, privileges, workers, then a libev loop until the last worker has left.
 * One thread, no coroutines, nothing that blocks. */
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/activation.h"
#include "master/events.h"
#include "master/limits.h"
#include "master/logfile.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/pidfile.h"
#include "master/reload.h"
#include "master/server.h"

#define SPARE_SEATS 64 /* bound before privileges are dropped */
#define SETTLED_EVERY 0.02
#define SETTLED_TRIES 3000 /* a minute */

const char *const master_phase_names[MASTER_PHASE_MAX] = {
	[MASTER_STARTING] = "starting",
	[MASTER_SERVING] = "serving",
	[MASTER_DELAYING] = "about to drain",
	[MASTER_DRAINING] = "draining",
	[MASTER_HANDED_OVER] = "handed over",
};

bool
master_is_ready(const struct master *master)
{
	return master->phase == MASTER_SERVING && fleet_accepting(&master->fleet) > 0;
}

/* ---- ready ---- */

static void
print_ready_line(const struct master *master)
{
	const struct sockets *sockets = &master->sockets;
	const struct fleet_config *config = &master->fleet.serving->config;
	char line[OPTIONS_ADDRESSES_MAX * ADDRESS_TEXT_SIZE + 128] = "ready: ";
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

static void
notify_ready(const struct master *master)
{
	const struct fleet_config *config = &master->fleet.serving->config;

	notify_send("READY=1\nMAINPID=%d\nSTATUS=serving, %u processes x %u threads", (int)getpid(),
		config->processes, config->threads);
}

static void
say_ready(struct master *master)
{
	master->phase = MASTER_SERVING;
	print_ready_line(master);
	notify_ready(master);
}

/* Answers operators from now on. */
static void
open_doors(struct master *master)
{
	if (master->pidfile != -1)
		pidfile_write(master->pidfile);
	control_start(master->control);
	if (master->upgrade.admin != -1)
		master->admin = admin_start(master, master->upgrade.admin);
	master->upgrade.admin = -1;
}

void
master_took_over(struct master *master)
{
	open_doors(master);
	say_ready(master);
}

static void
all_ready(void *context)
{
	say_ready(context);
}

/* ---- changes ---- */

void
master_changed(struct master *master, const char *why)
{
	static const char *const names[] = {
		[CHANGE_NONE] = "change",
		[CHANGE_RELOAD] = "reload",
		[CHANGE_SCALE] = "scale",
		[CHANGE_UPGRADE] = "upgrade",
	};
	const struct generation *serving = master->fleet.serving;
	enum master_change change = master->change;

	if (change == CHANGE_NONE)
		return;
	ev_timer_stop(master->loop, &master->settled);
	master->change = CHANGE_NONE;
	master->fall = NULL;
	if (change == CHANGE_RELOAD && why != NULL)
		options_free(&master->next);
	if (why != NULL)
		events_note(LOG_ERROR, "%s failed, and changed nothing: %s", names[change], why);
	else if (serving != NULL)
		events_note(LOG_INFO, "%s done: generation %u serves, %u processes x %u threads",
			names[change], serving->number, serving->config.processes,
			serving->config.threads);
	if (master->phase == MASTER_SERVING)
		notify_ready(master);
	control_changed(master->control, why);
}

static void
risen(void *context)
{
	struct master *master = context;

	if (master->upgrade.is_heir) {
		upgrade_risen(master);
		return;
	}
	if (master->change == CHANGE_RELOAD)
		reload_finish(master);
	fleet_commit(&master->fleet);
	master_changed(master, NULL);
}

/* Told outside of what called it. */
static void
on_settled(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;
	static unsigned tries;

	(void)loop, (void)events;
	if (master->fall != NULL) {
		master_changed(master, master->fall);
		return;
	}
	if (master->fleet.rising != NULL)
		return;
	if (fleet_is_steady(&master->fleet)) {
		tries = 0;
		master_changed(master, NULL);
	} else if (++tries > SETTLED_TRIES) {
		tries = 0;
		master_changed(master, "workers do not get ready; the log says why");
	}
}

static void
await_settled(struct master *master)
{
	ev_now_update(master->loop);
	ev_timer_set(&master->settled, SETTLED_EVERY, SETTLED_EVERY);
	ev_timer_start(master->loop, &master->settled);
}

/* The rising generation was dropped. */
static void
fell(void *context, const char *why)
{
	struct master *master = context;

	if (master->upgrade.is_heir) {
		log_error("cannot take over: %s", why);
		master_stop(master, 1);
		return;
	}
	master->fall = why;
	await_settled(master);
}

static int
may_change(const struct master *master, const char **why)
{
	*why = "another change is under way; try again when it is done";
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
	events_note(LOG_ERROR, "%s refused: %s", what, why);
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
	*why = "more than 4096 hubs are not supported";
	if ((size_t)processes * threads > SOCKETS_SEATS_MAX)
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
	log_info("upgrading: the new master is pid %d", (int)master->upgrade.pid);
	master->change = CHANGE_UPGRADE;
	return 0;
}

/* ---- stopping ---- */

static void
leave(void *context)
{
	struct master *master = context;

	ev_break(master->loop, EVBREAK_ALL);
}

static void
give_up(void *context)
{
	master_stop(context, 1);
}

/* Whatever rises, here or in another master, is dropped. */
static void
give_up_change(struct master *master)
{
	upgrade_abandon(master);
	fleet_abandon(&master->fleet);
	if (master->change != CHANGE_NONE)
		master_changed(master, "the server is stopping");
}

static void
drain(struct master *master)
{
	double seconds = (double)master->options.drain_timeout / (double)CLOCK_SECOND;

	log_info("stopping: %lu connections are open, they have %g s to end",
		(unsigned long)fleet_open(&master->fleet), seconds);
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
	double delay = (double)master->options.drain_delay / (double)CLOCK_SECOND;

	if (master->phase > MASTER_SERVING)
		return;
	give_up_change(master);
	notify_send("STOPPING=1\nSTATUS=draining");
	if (delay <= 0) {
		drain(master);
		return;
	}
	log_info("stopping: accepting connections for another %g s", delay);
	master->phase = MASTER_DELAYING;
	ev_now_update(master->loop);
	ev_timer_init(&master->delay, on_delay_over, delay, 0.);
	master->delay.data = master;
	ev_timer_start(master->loop, &master->delay);
}

void
master_stop(struct master *master, int exit_code)
{
	give_up_change(master);
	notify_send("STOPPING=1");
	master->exit_code = exit_code;
	if (master->phase != MASTER_HANDED_OVER)
		master->phase = MASTER_DRAINING;
	ev_timer_stop(master->loop, &master->delay);
	fleet_kill(&master->fleet);
}

/* ---- signals ---- */

static void
change_workers(struct master *master, int by)
{
	const struct generation *serving = master->fleet.serving;
	const char *why;

	if (serving == NULL)
		return;
	if (by < 0 && serving->config.processes == 1)
		log_warning("the last worker stays");
	else
		master_scale(master, serving->config.processes + (unsigned)by,
			serving->config.threads, &why);
}

static void
reopen_log(struct master *master)
{
	int file = logfile_reopen();

	if (file == -1)
		return;
	fleet_reopen(&master->fleet, file);
	close(file);
}

/* Workers, the new master of an upgrade, and strangers: as process 1 of a container the master gets
 * every orphan. */
static void
reap(struct master *master)
{
	siginfo_t child = {0};
	pid_t last = 0;

	while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid != 0 &&
		child.si_pid != last) {
		last = child.si_pid;
		if (!fleet_reap(&master->fleet, last) && !upgrade_reap(master, last))
			waitpid(last, NULL, WNOHANG);
		child.si_pid = 0;
	}
}

static void
on_stop_signal(struct master *master, int number)
{
	if (number == SIGTERM && master->phase <= MASTER_SERVING) {
		master_drain(master);
		return;
	}
	log_info("stopping at once on %s: closing %lu connections", strsignal(number),
		(unsigned long)fleet_open(&master->fleet));
	master_stop(master, 128 + number);
}

static void
on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct master *master = watcher->data;
	const char *why;

	(void)loop, (void)events;
	switch (watcher->signum) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		on_stop_signal(master, watcher->signum);
		return;
	case SIGHUP:
		master_reload(master, &why);
		return;
	case SIGUSR1:
		reopen_log(master);
		return;
	case SIGUSR2:
		master_upgrade(master, &why);
		return;
	case SIGTTIN:
		change_workers(master, 1);
		return;
	case SIGTTOU:
		change_workers(master, -1);
		return;
	case SIGCHLD:
		reap(master);
		return;
	}
}

static void
watch_signals(struct master *master)
{
	static const int numbers[] = {
		SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		ev_signal_init(&master->signals[i], on_signal, numbers[i]);
		master->signals[i].data = master;
		ev_signal_start(master->loop, &master->signals[i]);
	}
}

static void
dumped(void *context)
{
	control_dumped(((struct master *)context)->control);
}

/* ---- the service manager's watchdog ---- */

/* Only as long as somebody serves: a master without workers is to be restarted. */
static void
on_pat(struct ev_loop *loop, ev_timer *timer, int events)
{
	const struct master *master = timer->data;

	(void)loop, (void)events;
	if (master->phase != MASTER_SERVING || fleet_accepting(&master->fleet) > 0)
		notify_send("WATCHDOG=1");
}

static void
start_patting(struct master *master)
{
	double every = (double)notify_watchdog() / (double)CLOCK_SECOND / 3;

	if (every <= 0)
		return;
	ev_timer_init(&master->pat, on_pat, every, every);
	master->pat.data = master;
	ev_timer_start(master->loop, &master->pat);
}

/* ---- starting ---- */

struct fleet_config
master_config(const struct master *master, const struct options *options)
{
	return (struct fleet_config){
		.processes = options->processes,
		.threads = options->threads,
		.drain_timeout = options->drain_timeout,
		.hang_timeout = options->hang_timeout,
		.max_connections = options->max_connections,
		.balances = !options->balances_by_hash,
		.heritage =
			{
				.serve = master->service->serve,
				.context = master->service->context,
				.addresses = master->sockets.address_count,
				.hub = {.stack_size = options->stack_size,
					.backend = options->backend},
				.pin = options->pin,
				.idle_timeout = options->idle_timeout,
				.write_timeout = options->write_timeout,
			},
	};
}

static int
prepare_fleet(struct master *master)
{
	struct fleet *fleet = &master->fleet;

	fleet->loop = master->loop;
	fleet->sockets = &master->sockets;
	fleet->counters = master->counters;
	fleet->generations = master->upgrade.generations;
	fleet->file_limit =
		limits_connections(master->sockets.address_count, master->options.threads);
	fleet->events = (struct fleet_events){
		.all_ready = all_ready,
		.risen = risen,
		.fell = fell,
		.all_gone = leave,
		.hopeless = give_up,
		.dumped = dumped,
		.context = master,
	};
	if (fleet_init(fleet) == 0)
		return 0;
	fleet->loop = NULL;
	log_error("cannot start: no memory");
	return -1;
}

/* Everything that needs privileges, and what a second copy would find taken. */
static int
open_all(struct master *master)
{
	struct options *options = &master->options;
	unsigned seats = options->processes * options->threads;
	bool is_fatal = false;

	if (master->identity.changes && seats < SPARE_SEATS)
		seats = SPARE_SEATS;
	activation_take(&master->sockets);
	master->counters = counters_new(&master->counters_file);
	if (master->counters == NULL) {
		log_error("cannot make the counters: %s", strerror(errno));
		return -1;
	}
	if (sockets_open(&master->sockets, seats) != 0)
		return -1;
	if (options->pidfile != NULL && (master->pidfile = pidfile_take(options->pidfile)) == -1)
		return -1;
	if (options->admin != NULL &&
		(master->upgrade.admin = admin_bind(&options->admin_address)) == -1)
		return -1;
	master->control = control_open(master, options->control, &master->identity, &is_fatal);
	if (master->control == NULL && is_fatal)
		return -1;
	if (identity_assume(&master->identity) != 0)
		return -1;
	master->sockets.can_bind = !master->identity.changes;
	return 0;
}

static int
inherit_all(struct master *master)
{
	if (upgrade_inherit(master) != 0)
		return -1;
	if (master->upgrade.control != -1)
		master->control = control_inherit(
			master, master->upgrade.control, master->upgrade.control_path);
	return 0;
}

/* The shape of the former master, if the options ask for the same as its own did. */
static struct fleet_config
heirs_config(const struct master *master)
{
	const struct upgrade *upgrade = &master->upgrade;
	struct fleet_config config = master_config(master, &master->options);

	if (upgrade->asked_processes == master->options.asked_processes &&
		upgrade->asked_threads == master->options.asked_threads) {
		config.processes = upgrade->processes;
		config.threads = upgrade->threads;
	}
	return config;
}

static int
start_fleet(struct master *master)
{
	struct fleet_config config = heirs_config(master);
	const char *why;

	if (master->upgrade.is_heir) {
		if (fleet_rise(&master->fleet, &config, &why) == 0)
			return 0;
		log_error("cannot take over: %s", why);
		return -1;
	}
	config = master_config(master, &master->options);
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
		log_info("stopped: served %lu connections, received %lu bytes, sent %lu",
			(unsigned long)total.accepted, (unsigned long)total.hub.bytes_received,
			(unsigned long)total.hub.bytes_sent);
}

static int
supervise(struct master *master)
{
	const struct options *options = &master->options;
	bool is_heir = upgrade_is_heir();

	if (identity_find(&master->identity, options->user, options->group) != 0 ||
		limits_raise((unsigned)options->address_count, options->processes,
			options->threads) != 0 ||
		sockets_init(&master->sockets, options->addresses, (unsigned)options->address_count,
			(int)options->backlog) != 0 ||
		(is_heir ? inherit_all(master) : open_all(master)) != 0 ||
		prepare_fleet(master) != 0)
		return 1;
	if (!is_heir)
		limits_warn(options->backlog);
	watch_signals(master);
	ev_init(&master->settled, on_settled);
	master->settled.data = master;
	if (start_fleet(master) != 0)
		return 1;
	/* Until a former master has handed over, it is the one to answer. */
	if (!is_heir)
		open_doors(master);
	start_patting(master);
	ev_run(master->loop, 0);
	say_done(master);
	return master->exit_code;
}

/* What whoever started this process may have left in a state that would surprise. */
static void
prepare_process(void)
{
	sigset_t none;
	int fd;

	/* Descriptors 0 to 2 exist, so that no socket becomes one of them, and a log line. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

static int
check(struct master *master)
{
	if (identity_find(&master->identity, master->options.user, master->options.group) != 0)
		return 1;
	printf("%s: the options are valid\n", master->service->name);
	options_free(&master->options);
	return 0;
}

static void
close_all(struct master *master)
{
	bool is_ours = master->phase != MASTER_HANDED_OVER && !master->upgrade.is_heir;

	/* Nobody waits for this process longer than for its sockets. */
	sockets_close(&master->sockets);
	control_close(master->control, is_ours);
	admin_stop(master->admin);
	if (is_ours)
		pidfile_remove(master->pidfile, master->options.pidfile);
	upgrade_fini(master);
	fleet_fini(&master->fleet);
	counters_free(&master->counters);
	if (master->counters_file != -1)
		close(master->counters_file);
	ev_loop_destroy(master->loop);
	options_free(&master->options);
}

int
hubbub_main(int argc, char **argv, const struct hubbub_service *service)
{
	static struct master master;
	int code;

	master = (struct master){.service = service,
		.argc = argc,
		.argv = argv,
		.started = (int64_t)time(NULL),
		.pidfile = -1,
		.counters_file = -1,
		.upgrade = {.pidfd = -1, .channel = -1, .control = -1, .admin = -1}};
	prepare_process();
	upgrade_remember_program();
	logfile_remember();
	options_parse(&master.options, argc, argv, service);
	log_setup(service->name, master.options.log_level, master.options.log_format);
	notify_init();
	if (master.options.cpus != 0)
		log_info("%u CPUs allowed: %u processes x %u threads", master.options.cpus,
			master.options.processes, master.options.threads);
	if (master.options.check)
		return check(&master);
	/* Not the default loop, which would reap every child by itself, before its pidfd is read. */
	master.loop = ev_loop_new(EVFLAG_NOENV);
	if (master.loop == NULL) {
		log_error("cannot start: libev finds no way to wait for events (file limit?)");
		return 1;
	}
	code = supervise(&master);
	close_all(&master);
	return code;
}
