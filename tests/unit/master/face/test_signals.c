#include "master/face/signals.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "master/say/logfile.h"
#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/unit/master/quiet.h"

static struct quiet quiet;

static void
begin(void)
{
	quiet_set(&quiet);
	/* So that a drain waits, and ends nothing. */
	quiet.master.options.drain_delay = 100 * CLOCK_SECOND;
	signals_watch(&quiet.master);
}

static void
end(void)
{
	for (size_t i = 0; i < sizeof quiet.master.signals / sizeof quiet.master.signals[0]; i++)
		ev_signal_stop(quiet.master.loop, &quiet.master.signals[i]);
	quiet_clear(&quiet);
}

TestSuite(signals, .init = begin, .fini = end, .timeout = 20);

static void
tell(int number)
{
	cr_assert_eq(kill(getpid(), number), 0);
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
}

Test(signals, term_drains_and_a_second_one_stops_at_once)
{
	tell(SIGTERM);
	cr_assert_eq(quiet.master.phase, MASTER_DELAYING);
	cr_assert_not(quiet.master.is_stopped);
	tell(SIGTERM);
	cr_assert(quiet.master.is_stopped);
	cr_assert_eq(quiet.master.exit_code, 128 + SIGTERM);
}

Test(signals, int_and_quit_stop_at_once)
{
	tell(SIGINT);
	cr_assert(quiet.master.is_stopped);
	cr_assert_eq(quiet.master.exit_code, 128 + SIGINT);
	tell(SIGQUIT);
	cr_assert_eq(quiet.master.exit_code, 128 + SIGQUIT);
}

/* Who sends it may not know yet that another master serves. */
Test(signals, after_a_handover_the_second_term_is_meant)
{
	quiet.master.phase = MASTER_HANDED_OVER;
	tell(SIGTERM);
	cr_assert_not(quiet.master.is_stopped);
	cr_assert_eq(quiet.master.phase, MASTER_HANDED_OVER);
	tell(SIGTERM);
	cr_assert(quiet.master.is_stopped);
}

Test(signals, none_that_comes_during_a_change_is_forgotten)
{
	quiet.master.change = CHANGE_SCALE;
	tell(SIGHUP);
	cr_assert(quiet.master.pending.reload);
	tell(SIGUSR2);
	cr_assert(quiet.master.pending.upgrade);
	tell(SIGTTIN);
	cr_assert_eq(quiet.master.pending.workers, 1);
	quiet.master.change = CHANGE_NONE;
}

Test(signals, the_last_worker_stays)
{
	const char *heard;

	quiet.master.fleet.serving->config.processes = 1;
	complaint_listen();
	tell(SIGTTOU);
	ev_run(quiet.master.loop, EVRUN_ONCE);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "the last worker stays"), "%s", heard);
	cr_assert_eq(quiet.master.change, CHANGE_NONE);
	cr_assert_eq(quiet.ended, 0);
}

Test(signals, without_workers_there_is_nothing_to_scale)
{
	struct generation *serving = quiet.master.fleet.serving;

	quiet.master.fleet.serving = NULL;
	tell(SIGTTIN);
	tell(SIGTTOU);
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
	quiet.master.fleet.serving = serving;
	cr_assert_eq(quiet.master.change, CHANGE_NONE);
}

/* As process 1 of a container the master gets every orphan. */
Test(signals, strangers_are_reaped)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		cr_assert_neq(pid, -1);
		if (pid == 0)
			_exit(i);
	}
	/* One signal may stand for several deaths; one that is not dead yet sends another. */
	while (waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOWAIT) == 0)
		ev_run(quiet.master.loop, EVRUN_ONCE);
	cr_assert_eq(errno, ECHILD);
}

/* As a shell's child is that has ended before the shell becomes the master by exec. */
Test(signals, a_stranger_that_died_before_is_reaped)
{
	pid_t pid;

	for (size_t i = 0; i < sizeof quiet.master.signals / sizeof quiet.master.signals[0]; i++)
		ev_signal_stop(quiet.master.loop, &quiet.master.signals[i]);
	pid = fork();
	cr_assert_neq(pid, -1);
	if (pid == 0)
		_exit(0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	signals_watch(&quiet.master);
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
	cr_assert_eq(waitpid(pid, NULL, WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
}

static int
count_dead(const pid_t *children, int count)
{
	int dead = 0;

	for (int i = 0; i < count; i++)
		dead += waitid(P_PID, (id_t)children[i], &(siginfo_t){0},
				WEXITED | WNOHANG | WNOWAIT) == 0;
	return dead;
}

Test(signals, a_crowd_of_strangers_is_reaped_in_turns)
{
	pid_t children[100];

	for (int i = 0; i < 100; i++) {
		children[i] = fork();
		cr_assert_neq(children[i], -1);
		if (children[i] == 0)
			_exit(0);
	}
	for (int i = 0; i < 100; i++)
		cr_assert_eq(
			waitid(P_PID, (id_t)children[i], &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
	cr_assert_gt(count_dead(children, 100), 0);
	cr_assert_lt(count_dead(children, 100), 100);
	for (int turns = 0; turns < 3; turns++)
		ev_run(quiet.master.loop, EVRUN_NOWAIT);
	cr_assert_eq(count_dead(children, 100), 0);
}

Test(signals, usr1_reopens_the_log)
{
	char folder[FOLDER_SIZE], path[FOLDER_SIZE + 8], moved[FOLDER_SIZE + 8];
	int before = dup(STDERR_FILENO), fd;
	bool is_there;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	snprintf(moved, sizeof moved, "%s/old", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	logfile_remember();
	rename(path, moved);
	kill(getpid(), SIGUSR1);
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
	dup2(before, STDERR_FILENO);
	is_there = access(path, F_OK) == 0;
	folder_remove(folder);
	cr_assert(is_there);
}
