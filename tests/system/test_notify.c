/* What a service manager is told (sd_notify), and what happens if it cannot be told. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/manager.h"
#include "tests/support/server.h"

static struct server server;
static char output[PROGRAM_OUTPUT_SIZE];
static char folder[FOLDER_SIZE];

static void
begin(void)
{
	cr_assert(folder_make(folder));
}

static void
end(void)
{
	server_clean(&server);
	folder_remove(folder);
}

TestSuite(notify, .init = begin, .fini = end, .timeout = 600);

Test(notify, the_service_manager_is_told)
{
	int manager = manager_open(folder);
	char main_pid[64];

	cr_assert_neq(manager, -1);
	setenv("WATCHDOG_USEC", "300000", 1);
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", "--drain-timeout=300",
		"--drain-delay=0.5", NULL));
	cr_assert(manager_hears(manager, "READY=1", 10));
	cr_assert(manager_hears(manager, "WATCHDOG=1", 10));
	kill(server.pid, SIGHUP);
	cr_assert(manager_hears(manager, "RELOADING=1\nMONOTONIC_USEC=", 10));
	cr_assert(manager_hears(manager, "READY=1", 10));
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	/* Sent by the new master; the former master's own message comes before or after. */
	snprintf(main_pid, sizeof main_pid, "READY=1\nMAINPID=%d", (int)server.pid);
	cr_assert(manager_hears(manager, main_pid, 10));
	cr_assert(manager_hears(manager, "WATCHDOG=1", 10));
	kill(server.pid, SIGTERM);
	/* The manager is to wait for the drain delay and the drain, in full. */
	cr_assert(manager_hears(manager, "STOPPING=1\nEXTEND_TIMEOUT_USEC=310500000\n", 10));
	close(manager);
}

/* The manager would not learn of the new main process, and would end the service with the former
 * one. */
Test(notify, without_the_service_manager_s_socket_it_does_not_upgrade)
{
	int manager = manager_open(folder);

	cr_assert_neq(manager, -1);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	cr_assert(manager_hears(manager, "READY=1", 10));
	cr_assert_eq(rename(getenv("NOTIFY_SOCKET"), strcat(strcpy(output, folder), "/away")), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 1);
	cr_assert_not_null(strstr(output, "NOTIFY_SOCKET cannot be reached"), "%s", output);
	cr_assert_eq(kill(server.pid, 0), 0);
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 0, "%s", output);
	close(manager);
}

Test(notify, the_service_manager_is_told_what_serves_and_what_was_refused)
{
	int manager = manager_open(folder), fd;
	char serving[128];

	cr_assert_neq(manager, -1);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	fd = client_connect(server.program.port);
	snprintf(serving, sizeof serving,
		"STATUS=serving 127.0.0.1:%d, 1 process x 1 thread, 1 connection",
		server.program.port);
	cr_assert(manager_hears(manager, serving, 30));
	close(fd);
	cr_assert(manager_hears(manager, ", 0 connections", 30));
	cr_assert_neq(server_ctl(&server, "scale", "256x256", output, sizeof output), 0);
	cr_assert(manager_hears(manager, ", 0 connections; scale refused: ", 30), "%s", output);
	cr_assert_eq(server_ctl(&server, "scale", "1x2", output, sizeof output), 0, "%s", output);
	cr_assert(manager_hears(manager, ", 1 process x 2 threads, 0 connections", 30));
	close(manager);
}
