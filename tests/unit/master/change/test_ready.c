#include "master/change/ready.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "master/say/notify.h"
#include "tests/unit/master/quiet.h"

Test(ready, is_who_serves_with_a_hub_that_accepts)
{
	struct quiet quiet;

	quiet_set(&quiet);
	for (int phase = 0; phase < MASTER_PHASE_MAX; phase++)
		for (int accepts = 0; accepts <= 1; accepts++) {
			quiet.master.phase = (enum master_phase)phase;
			quiet_accept(&quiet, accepts);
			cr_assert_eq(ready_is(&quiet.master), phase == MASTER_SERVING && accepts,
				"%s", ready_phase_names[phase]);
			cr_assert_not_null(ready_phase_names[phase]);
		}
	quiet_accept(&quiet, false);
	quiet_clear(&quiet);
}

Test(ready, a_hub_that_gave_no_sign_of_life_for_a_second_does_not_serve)
{
	struct quiet quiet;

	quiet_set(&quiet);
	quiet_accept(&quiet, true);
	quiet.hub.is_hung = true;
	quiet.hub.silent = FLEET_LIFE - 1;
	cr_assert(ready_is(&quiet.master) && ready_is_live(&quiet.master));
	quiet.hub.silent = FLEET_LIFE;
	cr_assert_not(ready_is(&quiet.master));
	cr_assert_not(ready_is_live(&quiet.master));
	quiet.hub.silent = 0;
	cr_assert(ready_is(&quiet.master) && ready_is_live(&quiet.master));
	quiet_accept(&quiet, false);
	quiet_clear(&quiet);
}

Test(ready, it_lives_while_workers_start_that_may_serve_soon)
{
	struct quiet quiet;
	struct fleet *fleet = &quiet.master.fleet;

	quiet_set(&quiet);
	quiet_lend(&quiet, true);
	cr_assert_not(ready_is_live(&quiet.master), "a worker that is ready, and gone");
	for (int started = 0; started <= 1; started++) {
		quiet.master.phase = started ? MASTER_SERVING : MASTER_STARTING;
		quiet.slot.state = SUPERVISION_STARTING;
		fleet->replacing = 0;
		cr_assert(ready_is_live(&quiet.master));
		cr_assert_not(ready_is(&quiet.master));
		quiet.slot.state = SUPERVISION_BACKING_OFF;
		fleet->replacing = FLEET_RISE_TIME - 1;
		cr_assert(ready_is_live(&quiet.master));
		fleet->replacing = FLEET_RISE_TIME;
		cr_assert_not(ready_is_live(&quiet.master));
	}
	fleet->serving->config.hang_timeout = CLOCK_SECOND;
	fleet->replacing = CLOCK_SECOND - 1;
	cr_assert(ready_is_live(&quiet.master));
	fleet->replacing = CLOCK_SECOND;
	cr_assert_not(ready_is_live(&quiet.master));
	quiet_lend(&quiet, false);
	quiet_clear(&quiet);
}

Test(ready, who_stops_lives)
{
	struct quiet quiet;

	quiet_set(&quiet);
	for (int phase = MASTER_DELAYING; phase < MASTER_PHASE_MAX; phase++) {
		quiet.master.phase = (enum master_phase)phase;
		cr_assert(ready_is_live(&quiet.master));
		cr_assert_not(ready_is(&quiet.master));
	}
	quiet_clear(&quiet);
}

Test(ready, the_line_tells_address_shape_and_pid)
{
	int file = memfd_create("log", 0), before = dup(STDERR_FILENO);
	char line[256] = "", expected[256];
	struct quiet quiet;

	quiet_set(&quiet);
	quiet.master.phase = MASTER_STARTING;
	dup2(file, STDERR_FILENO);
	ready_begin(&quiet.master);
	dup2(before, STDERR_FILENO);
	cr_assert_gt(pread(file, line, sizeof line - 1, 0), 0);
	snprintf(expected, sizeof expected, "ready: 127.0.0.1:%u, 2 processes x 1 thread, pid %d\n",
		address_port(&quiet.master.sockets.addresses[0]), (int)getpid());
	cr_assert_str_eq(line, expected);
	cr_assert_eq(quiet.master.phase, MASTER_SERVING);
	quiet_clear(&quiet);
}

/* Stands for the service manager. Returns where it listens. */
static int
be_manager(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char path[64];

	snprintf(path, sizeof path, "@ready-%d", (int)getpid());
	memcpy(name.sun_path, path, strlen(path));
	name.sun_path[0] = '\0';
	cr_assert_eq(bind(manager, (struct sockaddr *)&name,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
		0);
	setenv("NOTIFY_SOCKET", path, 1);
	notify_init();
	return manager;
}

Test(ready, the_service_manager_is_told)
{
	char words[512] = "", expected[512];
	int manager = be_manager();
	struct quiet quiet;

	quiet_set(&quiet);
	quiet_accept(&quiet, true);
	ready_notify(&quiet.master);
	cr_assert_gt(recv(manager, words, sizeof words - 1, MSG_DONTWAIT), 0);
	snprintf(expected, sizeof expected,
		"READY=1\nMAINPID=%d\nSTATUS=serving 127.0.0.1:%u, 2 processes x 1 thread, 0 "
		"connections",
		(int)getpid(), address_port(&quiet.master.sockets.addresses[0]));
	cr_assert_str_eq(words, expected);
	quiet_accept(&quiet, false);
	quiet_clear(&quiet);
}

/* The next word, after a look. */
static const char *
told(struct quiet *quiet, int manager)
{
	static char words[512];
	ssize_t length;

	ev_invoke(quiet->master.loop, &quiet->master.watch, EV_TIMER);
	ev_invoke(quiet->master.loop, &quiet->master.tell, EV_TIMER);
	length = recv(manager, words, sizeof words - 1, MSG_DONTWAIT);
	words[length > 0 ? length : 0] = '\0';
	return words;
}

Test(ready, what_changes_is_told_once)
{
	int manager = be_manager();
	char serving[256];
	struct quiet quiet;

	quiet_set(&quiet);
	quiet_accept(&quiet, true);
	ready_watch(&quiet.master);
	ready_begin(&quiet.master);
	snprintf(serving, sizeof serving,
		"STATUS=serving 127.0.0.1:%u, 2 processes x 1 thread, 0 connections",
		address_port(&quiet.master.sockets.addresses[0]));
	cr_assert_str_eq(told(&quiet, manager), serving);
	cr_assert_str_eq(told(&quiet, manager), "");
	quiet.hub.silent = FLEET_LIFE;
	cr_assert_str_eq(told(&quiet, manager), "STATUS=not ready: no hub gives a sign of life");
	cr_assert_not(quiet.master.is_said_ready || quiet.master.is_said_live);
	cr_assert_str_eq(told(&quiet, manager), "");
	quiet.hub.silent = 0;
	cr_assert_str_eq(told(&quiet, manager), serving);
	quiet_accept(&quiet, false);
	cr_assert_str_eq(told(&quiet, manager), "STATUS=not ready: no worker serves");
	/* What a change is about is said by it. */
	quiet.master.change = CHANGE_RELOAD;
	notify_send("STATUS=reloading");
	cr_assert_str_eq(told(&quiet, manager), "STATUS=reloading");
	cr_assert_str_eq(told(&quiet, manager), "");
	quiet.master.change = CHANGE_NONE;
	quiet_accept(&quiet, true);
	quiet.master.phase = MASTER_DRAINING;
	cr_assert_str_eq(told(&quiet, manager), "STATUS=draining, 0 connections");
	cr_assert_str_eq(told(&quiet, manager), "");
	/* The new master speaks for the server. */
	quiet.master.phase = MASTER_HANDED_OVER;
	cr_assert_str_eq(told(&quiet, manager), "");
	quiet_accept(&quiet, false);
	ev_timer_stop(quiet.master.loop, &quiet.master.watch);
	quiet_clear(&quiet);
}

/* Before that, the manager does not know a new master. */
Test(ready, numbers_are_told_from_the_first_word_on)
{
	struct quiet quiet;

	be_manager();
	quiet_set(&quiet);
	quiet_accept(&quiet, true);
	ready_watch(&quiet.master);
	ready_begin(&quiet.master);
	cr_assert_not(ev_is_active(&quiet.master.tell));
	ready_notify(&quiet.master);
	cr_assert(ev_is_active(&quiet.master.tell));
	ev_timer_stop(quiet.master.loop, &quiet.master.tell);
	ev_timer_stop(quiet.master.loop, &quiet.master.watch);
	quiet_accept(&quiet, false);
	quiet_clear(&quiet);
}
