#include "master/ready.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "master/notify.h"
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
	snprintf(expected, sizeof expected,
		"ready: 127.0.0.1:%u, 2 processes x 1 threads, pid %d\n",
		address_port(&quiet.master.sockets.addresses[0]), (int)getpid());
	cr_assert_str_eq(line, expected);
	cr_assert_eq(quiet.master.phase, MASTER_SERVING);
	quiet_clear(&quiet);
}

Test(ready, the_service_manager_is_told)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char path[64], words[256] = "", expected[256];
	struct quiet quiet;

	snprintf(path, sizeof path, "@ready-%d", (int)getpid());
	memcpy(name.sun_path, path, strlen(path));
	name.sun_path[0] = '\0';
	cr_assert_eq(bind(manager, (struct sockaddr *)&name,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
		0);
	setenv("NOTIFY_SOCKET", path, 1);
	notify_init();
	quiet_set(&quiet);
	ready_notify(&quiet.master);
	cr_assert_gt(recv(manager, words, sizeof words - 1, MSG_DONTWAIT), 0);
	snprintf(expected, sizeof expected,
		"READY=1\nMAINPID=%d\nSTATUS=serving, 2 processes x 1 thread", (int)getpid());
	cr_assert_str_eq(words, expected);
	quiet_clear(&quiet);
}
