/* Signals arrive by libev, as ordinary callbacks of the loop, so all functions may be called here.
 * A signal never waits for a change under way: it is noted, and done after the change
 * (change.h). */
#include "master/face/signals.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/change/change.h"
#include "master/change/reopen.h"
#include "master/change/takeover.h"
#include "master/change/upgrade.h"
#include "master/fleet/lookup.h"
#include "master/say/logfile.h"

#define REAPED_AT_ONCE 64 /* children in a turn of the loop */

static void
reopen_log(struct master *master)
{
	bool has_access = reopen_access_log(master), has_log = logfile_reopen();

	if (has_log)
		fleet_reopen(&master->fleet);
	if (!has_log && !has_access)
		return;
	takeover_reopen(master);
	successor_reopen(master);
}

/* Reaps children: workers, the new master of an upgrade, processes that look addresses up, and, if
 * the master is process 1 of a container, every orphan there. */
static void
reap(struct master *master)
{
	siginfo_t child = {0};
	unsigned reaped = 0;
	pid_t last = 0;

	while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid != 0 &&
		child.si_pid != last) {
		/* Orphans may come without end: leave the rest to the next turn. */
		if (reaped++ == REAPED_AT_ONCE) {
			ev_feed_signal(SIGCHLD);
			return;
		}
		last = child.si_pid;
		if (!fleet_reap(&master->fleet, last) && !upgrade_reap(master, last) &&
			!lookup_reap(last))
			waitpid(last, NULL, WNOHANG);
		child.si_pid = 0;
	}
	/* A child that cannot be reaped yet may hide the new master behind it. Workers cannot be
	 * hidden: their pidfds tell of their end. */
	upgrade_reap(master, 0);
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
		successor_pass_drain(master)) {
		log_info("another master has just taken over; it was told to drain");
		return;
	}
	if (number == SIGTERM && master->phase == MASTER_HANDED_OVER && !master->second_term) {
		log_info("another master serves; this one drains already");
		master->second_term = true;
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
		master_upgrade_later(master);
		return;
	case SIGTTIN:
		master_add_workers_later(master, 1);
		return;
	case SIGTTOU:
		master_add_workers_later(master, -1);
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
	/* Children from before the program's exec, as process 1 may have, may be dead already. */
	ev_feed_signal(SIGCHLD);
}
