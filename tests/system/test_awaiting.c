/* hubbub-ctl wait, for servers that have not started yet, do not serve, or never will. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/server.h"

static struct server server;
static char output[PROGRAM_OUTPUT_SIZE];

static void
end(void)
{
	server_clean(&server);
}

TestSuite(awaiting, .fini = end, .timeout = 600);

/* Waits for a server that serves already. */
static int
wait_for(const char *option)
{
	return server_ctl(&server, option, "wait", output, sizeof output);
}

Test(awaiting, a_server_that_serves_is_ready_at_once)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	cr_assert_eq(server_ctl(&server, "wait", NULL, output, sizeof output), 0, "%s", output);
	cr_assert_str_eq(output, "ready\n");
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(awaiting, one_that_is_started_later_is_waited_for)
{
	char script[512], *argv[] = {"/bin/sh", "-c", script, NULL};

	cr_assert(server_make_folder(&server));
	snprintf(script, sizeof script,
		"sleep 1; exec %s --listen=127.0.0.1:0 --control=%s -p1 -t1",
		program_path("hubbub-echo"), server.control);
	cr_assert(program_start(&server.program, argv, 0));
	cr_assert_neq(access(server.control, F_OK), 0);
	cr_assert_eq(server_ctl(&server, "wait", NULL, output, sizeof output), 0, "%s", output);
	cr_assert_str_eq(output, "ready\n");
	cr_assert_eq(server_ctl(&server, "status", NULL, output, sizeof output), 0);
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
}

Test(awaiting, of_none_it_says_after_the_time_what_there_was)
{
	cr_assert(server_make_folder(&server));
	cr_assert_eq(wait_for("--timeout=1"), 1);
	cr_assert_not_null(strstr(output, "not ready after 1 second (--timeout): cannot talk to"),
		"%s", output);
}

static bool
is_not_ready(void *unused)
{
	int code;

	(void)unused;
	free(server_get(&server, "/readyz", &code));
	return code == 503;
}

Test(awaiting, one_whose_workers_are_stopped_is_not_ready)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--hang-timeout=0", NULL));
	server_signal_worker(&server, 0, SIGSTOP);
	cr_assert(wait_until(is_not_ready, NULL, 60));
	/* Long enough for an answer. */
	cr_assert_eq(wait_for(program_is_sanitized() ? "--timeout=20" : "--timeout=5"), 1);
	cr_assert_not_null(strstr(output, "(--timeout): not ready"), "%s", output);
	server_signal_worker(&server, 0, SIGCONT);
	cr_assert_eq(wait_for("--timeout=60"), 0, "%s", output);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* The process is a zombie, as $! may name one in a shell that has not reaped it. */
Test(awaiting, a_process_that_has_ended_is_not_waited_for)
{
	char number[32], *argv[] = {program_path("hubbub-ctl"), "--pid", number, "wait", NULL};
	pid_t pid = fork();

	if (pid == 0)
		_exit(3);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	snprintf(number, sizeof number, "%d", (int)pid);
	cr_assert(program_start(&server.program, argv, 0));
	cr_assert_eq(program_wait(&server.program, 30), 1, "%s", server.program.text);
	cr_assert_not_null(strstr(server.program.text, "has ended"), "%s", server.program.text);
	waitpid(pid, NULL, 0);
}
