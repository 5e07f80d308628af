#include "master/signals.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/change.h"
#include "master/logfile.h"
#include "master/takeover.h"
#include "master/upgrade.h"

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
	takeover_reopen(master, file);
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
	uint64_t open = fleet_open(&master->fleet);

	if (number == SIGTERM && master->phase <= MASTER_SERVING) {
		master_drain(master);
		return;
	}
	if (number == SIGTERM && master->phase == MASTER_HANDED_OVER &&
		upgrade_pass_drain(master)) {
		log_info("another master has just taken over; it was told to drain");
		return;
	}
	if (number == SIGTERM && master->phase == MASTER_HANDED_OVER && !master->is_told_twice) {
		log_info("another master serves; this one drains already");
		master->is_told_twice = true;
		return;
	}
	log_info("stopping at once on %s: closing %lu connection%s", strsignal(number),
		(unsigned long)open, log_plural(open, "s"));
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
		master_reload_later(master);
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

void
signals_watch(struct master *master)
{
	static const int numbers[] = {
		SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		ev_signal_init(&master->signals[i], on_signal, numbers[i]);
		master->signals[i].data = master;
		ev_signal_start(master->loop, &master->signals[i]);
	}
}
