/* hubbub_main: the master's life, top to bottom.
 *
 * Options, limits, sockets, workers, then a libev loop until the last worker has left. One thread,
 * no coroutines, nothing that blocks. */
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/fleet.h"
#include "master/identity.h"
#include "master/limits.h"
#include "master/options.h"
#include "master/server.h"

/* After the drain deadline: for connections to be closed in an orderly way. */
#define STOP_GRACE 1.

struct master {
	struct options options;
	struct identity identity;
	struct sockets sockets;
	struct fleet fleet;
	struct ev_loop *loop;
	ev_signal stop_signals[3]; /* TERM, INT, QUIT */
	ev_signal other_signals[5];
	ev_timer deadline;
	bool is_draining;
	int exit_code;
};

static void
say_ready(void *context)
{
	struct master *master = context;
	const struct sockets *sockets = &master->sockets;
	char line[OPTIONS_ADDRESSES_MAX * ADDRESS_TEXT_SIZE + 128] = "ready: ";
	char text[ADDRESS_TEXT_SIZE];
	size_t length = strlen(line);

	for (unsigned i = 0; i < sockets->address_count; i++) {
		address_format(&sockets->addresses[i], text);
		length += (size_t)snprintf(line + length, sizeof line - length, "%s, ", text);
	}
	length += (size_t)snprintf(line + length, sizeof line - length,
		"%u processes x %u threads, pid %d\n", master->options.processes,
		master->options.threads, (int)getpid());
	log_bare(line, length);
}

static void
leave(void *context)
{
	struct master *master = context;

	ev_break(master->loop, EVBREAK_ALL);
}

static void
give_up(void *context)
{
	struct master *master = context;

	master->exit_code = 1;
	fleet_kill(&master->fleet);
}

/* The deadline has passed twice: first connections are closed, then workers are killed. */
static void
on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;

	(void)events;
	if (timer->repeat != 0.) {
		log_warning("workers do not leave; killing them");
		ev_timer_stop(loop, timer);
		fleet_kill(&master->fleet);
		return;
	}
	log_warning("the drain deadline of %g s has passed; closing %lu connections",
		(double)master->options.drain_timeout / (double)CLOCK_SECOND,
		(unsigned long)fleet_open(&master->fleet));
	timer->repeat = STOP_GRACE;
	ev_timer_again(loop, timer);
	fleet_stop(&master->fleet);
}

static void
stop_gracefully(struct master *master)
{
	double seconds = (double)master->options.drain_timeout / (double)CLOCK_SECOND;

	log_info("stopping: %lu connections are open, they have %g s to end",
		(unsigned long)fleet_open(&master->fleet), seconds);
	master->is_draining = true;
	ev_timer_set(&master->deadline, seconds, 0.);
	ev_timer_start(master->loop, &master->deadline);
	fleet_drain(&master->fleet);
}

static void
on_stop_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct master *master = watcher->data;

	(void)loop, (void)events;
	if (watcher->signum == SIGTERM && !master->is_draining) {
		stop_gracefully(master);
		return;
	}
	log_info("stopping at once on %s: closing %lu connections", strsignal(watcher->signum),
		(unsigned long)fleet_open(&master->fleet));
	master->exit_code = 128 + watcher->signum;
	ev_timer_stop(master->loop, &master->deadline);
	fleet_kill(&master->fleet);
}

static void
on_other_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)loop, (void)events;
	log_warning("signal %s means nothing to this version; ignored", strsignal(watcher->signum));
}

static void
watch_signals(struct master *master)
{
	static const int stop[] = {SIGTERM, SIGINT, SIGQUIT};
	static const int other[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU};

	for (size_t i = 0; i < sizeof stop / sizeof stop[0]; i++) {
		ev_signal_init(&master->stop_signals[i], on_stop_signal, stop[i]);
		master->stop_signals[i].data = master;
		ev_signal_start(master->loop, &master->stop_signals[i]);
	}
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
		ev_signal_init(&master->other_signals[i], on_other_signal, other[i]);
		ev_signal_start(master->loop, &master->other_signals[i]);
	}
}

static int
prepare_fleet(struct master *master, const struct hubbub_service *service)
{
	const struct options *options = &master->options;
	struct fleet *fleet = &master->fleet;

	*fleet = (struct fleet){
		.loop = master->loop,
		.sockets = &master->sockets,
		.identity = &master->identity,
		.events = {say_ready, leave, give_up, master},
		.heritage =
			{
				.serve = service->serve,
				.context = service->context,
				.threads = options->threads,
				.addresses = (unsigned)options->address_count,
				.hub = {.stack_size = options->stack_size,
					.backend = options->backend},
				.pin = options->pin,
			},
	};
	fleet->counters = counters_new(options->processes, options->threads);
	if (fleet->counters != NULL && fleet_init(fleet, options->processes) == 0)
		return 0;
	log_error("cannot start: %s", strerror(errno));
	return -1;
}

static void
say_done(struct master *master)
{
	struct worker_row total = fleet_total(&master->fleet);

	log_info("stopped: served %lu connections, received %lu bytes, sent %lu",
		(unsigned long)total.accepted, (unsigned long)total.hub.bytes_received,
		(unsigned long)total.hub.bytes_sent);
}

static int
supervise(struct master *master, const struct hubbub_service *service)
{
	const struct options *options = &master->options;

	if (identity_find(&master->identity, options->user, options->group) != 0 ||
		limits_raise((unsigned)options->address_count, options->processes,
			options->threads) != 0 ||
		sockets_open(&master->sockets, options->addresses, (unsigned)options->address_count,
			options->processes, options->threads, (int)options->backlog) != 0 ||
		prepare_fleet(master, service) != 0)
		return 1;
	watch_signals(master);
	if (options->pidfile != NULL && pidfile_write(options->pidfile) != 0)
		return 1;
	ev_init(&master->deadline, on_deadline);
	master->deadline.data = master;
	fleet_start(&master->fleet);
	ev_run(master->loop, 0);
	say_done(master);
	pidfile_remove(options->pidfile);
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

int
hubbub_main(int argc, char **argv, const struct hubbub_service *service)
{
	struct master master = {.exit_code = 0};
	int code;

	prepare_process();
	options_parse(&master.options, argc, argv, service);
	log_setup(service->name, master.options.log_level, master.options.log_format);
	if (master.options.cpus != 0)
		log_info("%u CPUs allowed: %u processes x %u threads", master.options.cpus,
			master.options.processes, master.options.threads);
	if (master.options.check) {
		if (identity_find(&master.identity, master.options.user, master.options.group) != 0)
			return 1;
		printf("%s: the options are valid\n", service->name);
		options_free(&master.options);
		return 0;
	}
	/* Not the default loop, which would reap every child by itself, before its pidfd is read. */
	master.loop = ev_loop_new(EVFLAG_NOENV);
	if (master.loop == NULL) {
		log_error("cannot start: libev finds no way to wait for events (file limit?)");
		return 1;
	}
	code = supervise(&master, service);
	fleet_fini(&master.fleet);
	sockets_close(&master.sockets);
	counters_free(&master.fleet.counters);
	ev_loop_destroy(master.loop);
	options_free(&master.options);
	return code;
}
