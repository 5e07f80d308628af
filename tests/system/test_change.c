/* Changes of any kind: what stays, what is closed, signals that meet, files that do not suffice. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/system/changing.h"

TestSuite(change, .init = changing_begin, .fini = changing_end, .timeout = 600);

Test(change, a_shape_that_was_set_while_it_ran_stays)
{
	changing_write("--reply=verbatim\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL));
	cr_assert_eq(server_ctl(&server, "scale", "1x3", NULL, 0), 0);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	cr_assert_eq(server_number(&server, "processes"), 1);
	cr_assert_eq(server_number(&server, "threads"), 3);
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_eq(server_number(&server, "threads"), 3);
	/* Unless the options ask for another number than before. */
	changing_write("--threads=2\n");
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	cr_assert_eq(server_number(&server, "processes"), 2);
	cr_assert_eq(server_number(&server, "threads"), 2);
	cr_assert_eq(server_end(&server, 20), 0);
}

static bool
listens_no_more(void *worker)
{
	return program_listeners(*(pid_t *)worker) == 0;
}

static bool
has_accepted(void *unused)
{
	(void)unused;
	return server_hub(&server, 0, 0, "connections") +
		       server_hub(&server, 0, 1, "connections") ==
	       1;
}

/* A worker that accepts no more keeps no socket from the next server, however long its connections
 * last. */
Test(change, those_who_leave_close_what_listens)
{
	char path[96];
	int clients[3];
	pid_t worker;

	snprintf(path, sizeof path, "--listen=unix:%s/path", folder);
	cr_assert(server_start(
			  &server, "hubbub-echo", "1", "2", path, "--listen=udp:127.0.0.1:0", NULL),
		"%s", server.program.text);
	for (int i = 0; i < 3; i++) {
		/* The client has sent nothing, so it is not idle. */
		clients[i] = client_connect(server.program.port);
		cr_assert(wait_until(has_accepted, NULL, 10));
		worker = server_worker(&server, 0);
		cr_assert_eq(program_listeners(worker), 6, "three addresses of two hubs");
		cr_assert_eq(i == 2 ? kill(server.pid, SIGTERM)
				    : changing_ctl(i == 0 ? "reload" : "upgrade"),
			0, "%s", output);
		server.pid = i == 2 ? server.pid : (pid_t)server_number(&server, "pid");
		cr_assert(wait_until(listens_no_more, &worker, 10), "change %d", i);
	}
	for (int i = 0; i < 3; i++) {
		cr_assert(client_exchange(clients[i], "still", "STILL"), "client %d", i);
		close(clients[i]);
	}
	cr_assert_eq(server_end(&server, 20), 0);
}

struct state {
	long upgrades, reloads, processes;
};

/* Whether the server has come to a state. */
static bool
has_come_to(void *context)
{
	const struct state *state = context;

	return server_number(&server, "totals.upgrades") == state->upgrades &&
	       server_number(&server, "totals.reloads") >= state->reloads &&
	       server_number(&server, "processes") == state->processes;
}

/* Signals that arrive during a change, in any order, are acted on after it, by the master that
 * serves then. */
Test(change, signals_that_meet_a_change_are_done_after_it)
{
	static const int orders[][3] = {{SIGUSR2, SIGHUP, SIGTTIN}, {SIGHUP, SIGUSR2, SIGTTIN},
		{SIGTTIN, SIGUSR2, SIGHUP}, {SIGTTIN, SIGHUP, SIGUSR2}};

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		struct state state = {(long)i + 1, (long)i + 1, (long)i + 2};
		bool has_come;

		for (int k = 0; k < 3; k++)
			kill(server.pid, orders[i][k]);
		has_come = wait_until(has_come_to, &state, 40);
		program_expect(&server.program, "no such text", 0.1);
		cr_assert(has_come, "order %zu: %s", i, server.program.text);
		server.pid = (pid_t)server_number(&server, "pid");
		cr_assert(wait_until(changing_is_as_before, &server.pid, 20));
	}
	/* A stop wins. */
	kill(server.pid, SIGUSR2);
	kill(server.pid, SIGHUP);
	cr_assert_eq(server_end(&server, 40), 0);
}

/* Starts the service with one worker of one hub, and a limit of that many files. */
static void
start_with_files(const char *files)
{
	char control[160], limit[32];
	char *argv[] = {"/usr/bin/prlimit", limit, NULL, "--listen=127.0.0.1:0", "-p1", "-t1",
		control, NULL};

	if (access(argv[0], X_OK) != 0)
		cr_skip("needs prlimit");
	argv[2] = strdup(program_path("hubbub-echo"));
	snprintf(limit, sizeof limit, "--nofile=%s:%s", files, files);
	snprintf(server.control, sizeof server.control, "%s/control", folder);
	snprintf(control, sizeof control, "--control=%s", server.control);
	cr_assert(program_start(&server.program, argv, 0));
	cr_assert(program_expect(&server.program, ", pid ", 10), "%s", server.program.text);
	cr_assert_eq(sscanf(strstr(server.program.text, "ready: "), "ready: 127.0.0.1:%d",
			     &server.program.port),
		1);
	free(argv[2]);
}

static bool
has_files(void *files)
{
	return program_files(server.program.pid) == *(int *)files;
}

/* What a change needs is known beforehand, or the change is undone at once: nothing is half done,
 * and no operator waits for what cannot come. */
Test(change, one_without_files_for_it_changes_nothing_and_says_so_soon)
{
	static const char *const shapes[] = {"200x1", "20x2", "20x1", "2x20", "12x1"};
	pid_t children[32];
	int files;

	start_with_files("64");
	files = program_files(server.program.pid);
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		int64_t began = clock_now();

		cr_assert_eq(server_ctl(&server, "scale", shapes[i], output, sizeof output), 1,
			"%s", shapes[i]);
		cr_assert_not_null(strstr(output, "open files is too low"), "%s", output);
		/* Without a check beforehand the change would take a minute, and leave as many
		 * workers as it could get. */
		cr_assert_lt(clock_now() - began, 50 * CLOCK_SECOND);
		cr_assert(wait_until(has_files, &files, 10), "%s: %d files", shapes[i],
			program_files(server.program.pid));
		cr_assert_eq(program_children(server.program.pid, children, 32), 1);
	}
	cr_assert_eq(changing_ctl("status"), 0);
	cr_assert_not_null(strstr(output, "; 1 process x 1 thread"), "%s", output);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	cr_assert(changing_answers("still", "STILL"));
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
}

Test(change, many_threads_all_accept)
{
	/* A sanitizer takes long for each thread. */
	const char *threads = program_is_sanitized() ? "100" : "300";

	cr_assert(server_start(&server, "hubbub-echo", "1", threads, NULL), "%s",
		server.program.text);
	for (int i = 0; i < 400; i++)
		cr_assert(changing_answers("every", "EVERY"), "client %d", i);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	for (int i = 0; i < 400; i++)
		cr_assert(changing_answers("every", "EVERY"), "client %d after the reload", i);
	cr_assert_eq(server_end(&server, 40), 0);
}
