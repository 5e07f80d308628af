/* hubbub-ctl and the control socket. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/server.h"

static struct server server;
static char output[PROGRAM_OUTPUT_SIZE];

static void
end(void)
{
	server_clean(&server);
}

TestSuite(control, .fini = end, .timeout = 600);

static int
ctl(const char *command, const char *argument)
{
	return server_ctl(&server, command, argument, output, sizeof output);
}

Test(control, status_tells_people_and_programs_and_exits_0_when_ready)
{
	json_t *state;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", NULL));
	cr_assert_eq(ctl("status", NULL), 0, "%s", output);
	cr_assert_not_null(strstr(output, "serving, ready"), "%s", output);
	cr_assert_not_null(strstr(output, "2 processes x 2 threads"), "%s", output);
	cr_assert_eq(ctl("--json", "status"), 0, "%s", output);
	state = json_loads(output, 0, NULL);
	cr_assert_not_null(state, "%s", output);
	cr_assert_eq(json_integer_value(json_object_get(state, "processes")), 2);
	cr_assert(json_is_true(json_object_get(state, "ready")));
	cr_assert_eq(json_array_size(json_object_get(state, "workers")), 2);
	json_decref(state);
}

Test(control, what_is_wrong_is_said)
{
	static const struct {
		const char *command;
		const char *argument;
		int code;
		const char *phrase;
	} cases[] = {
		{"scale", "0x1", 2, "from 1 to 1024"},
		{"scale", "two", 2, "PROCESSESxTHREADS"},
		{"scale", NULL, 2, "PROCESSESxTHREADS"},
		{"scale", "1024x1024", 1, "more than 2000 hubs"},
		{"reboot", NULL, 2, "no command 'reboot'"},
		{"stauts", NULL, 2, "no command 'stauts'; did you mean status?"},
		{"status", "now", 2, "takes no argument"},
		{"-h", NULL, 0, "Commands:"},
		{"-?", NULL, 0, "Commands:"},
		{"--usage", NULL, 0, "Usage: hubbub-ctl"},
		{"-x", NULL, 2, "hubbub-ctl: invalid option"},
	};

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_assert_eq(ctl(cases[i].command, cases[i].argument), cases[i].code, "%s: %s",
			cases[i].command, output);
		cr_assert_not_null(strstr(output, cases[i].phrase), "%s", output);
	}
	cr_assert_eq(ctl("status", NULL), 0, "it is as it was");
}

Test(control, a_server_that_is_not_there)
{
	snprintf(server.control, sizeof server.control, "/tmp/no-such-socket");
	cr_assert_eq(ctl("status", NULL), 1);
	cr_assert_not_null(strstr(output, "/tmp/no-such-socket"), "%s", output);
}

Test(control, drain_waits_for_the_end_and_shows_progress)
{
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", "--drain-timeout=2", NULL));
	/* Has said nothing, so it is waited for. */
	fd = client_connect(server.program.port);
	cr_assert_eq(ctl("drain", NULL), 0, "%s", output);
	cr_assert_not_null(strstr(output, "1 connection is open"), "%s", output);
	cr_assert_not_null(strstr(output, "ended"), "%s", output);
	cr_assert_eq(program_wait(&server.program, 5), 0);
	close(fd);
}

Test(control, stop_is_at_once)
{
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL));
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "a", "A"));
	cr_assert_eq(ctl("stop", NULL), 0, "%s", output);
	cr_assert_eq(program_wait(&server.program, 5), 0);
	close(fd);
}

static int
connect_control(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct timeval limit = {5, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(name.sun_path, sizeof name.sun_path, "%s", server.control);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	cr_assert_eq(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
	return fd;
}

/* As nc -N asks. */
Test(control, whoever_sends_no_more_is_answered)
{
	static const char *const lines[] = {
		"status\n", "reload\n", "scale 2x1\n", "stacks\n", "upgrade\n"};

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		int fd = connect_control();
		size_t length = 0;
		ssize_t got;

		send(fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		while ((got = recv(fd, output + length, sizeof output - 1 - length, 0)) > 0)
			length += (size_t)got;
		output[length] = '\0';
		cr_assert_eq(got, 0, "%s", lines[i]);
		cr_assert(output[0] == '+' || strstr(output, "\n+") != NULL, "%s: '%s'", lines[i],
			output);
		close(fd);
	}
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(control, garbage_and_slow_readers_disturb_nobody)
{
	char garbage[4096];
	int silent[40], fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", NULL));
	srand(1);
	for (int i = 0; i < 50; i++) {
		for (size_t at = 0; at < sizeof garbage; at++)
			garbage[at] = (char)rand();
		fd = connect_control();
		send(fd, garbage, sizeof garbage, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (i % 2 == 0)
			recv(fd, garbage, sizeof garbage, 0);
		close(fd);
	}
	/* Some ask and never read; more than are let in say nothing. */
	for (int i = 0; i < 40; i++) {
		silent[i] = connect_control();
		if (i < 10)
			send(silent[i], "status\n", 7, MSG_NOSIGNAL);
	}
	for (int i = 0; i < 40; i++)
		close(silent[i]);
	cr_assert_eq(ctl("status", NULL), 0, "%s", output);
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(control, it_answers_while_a_worker_is_frozen)
{
	int64_t began;
	pid_t worker;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", NULL));
	worker = server_worker(&server, 0);
	kill(worker, SIGSTOP);
	began = clock_now();
	cr_assert_eq(ctl("status", NULL), 0, "%s", output);
	cr_assert_lt(clock_now() - began, 2 * CLOCK_SECOND);
	/* Those who can answer do; who does not is named. */
	cr_assert_eq(ctl("stacks", NULL), 1);
	cr_assert_not_null(strstr(output, "hub 1 of worker 1"), "%s", output);
	cr_assert_not_null(strstr(output, "2 of 4 hubs did not answer"), "%s", output);
	kill(worker, SIGCONT);
}

Test(control, stacks_shows_every_coroutine)
{
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", NULL));
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "a", "A"));
	cr_assert_eq(ctl("stacks", NULL), 0, "%s", output);
	for (int worker = 0; worker < 2; worker++)
		for (int hub = 0; hub < 2; hub++) {
			char heading[64];

			snprintf(heading, sizeof heading, "hub %d of worker %d", hub, worker);
			cr_assert_not_null(strstr(output, heading), "%s", output);
		}
	cr_assert_not_null(strstr(output, "\"connection\": waits for recv"), "%s", output);
	close(fd);
}

Test(control, only_the_owner_may_talk)
{
	struct stat status;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	cr_assert_eq(stat(server.control, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	if (geteuid() != 0 || access("/usr/bin/setpriv", X_OK) != 0)
		cr_skip("needs to start as root");
	/* Even one that gets through to the socket is not heard. */
	cr_assert_eq(chmod(server.control, 0666), 0);
	cr_assert_eq(chmod(server.folder, 0755), 0);
	char *argv[] = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		program_path("hubbub-ctl"), "--socket", server.control, "status", NULL};
	struct program stranger;

	cr_assert(program_start(&stranger, argv, 0));
	cr_assert_neq(program_wait(&stranger, 10), 0, "%s", stranger.text);
	program_end(&stranger);
}

/* As somebody who is not root, because root's sockets are in /run/hubbub, which other tests use,
 * too. */
Test(control, the_socket_is_found_and_removed_at_the_end)
{
	char *start[] = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		strdup(program_path("hubbub-echo")), "--listen=127.0.0.1:0", "-p1", "-t1", NULL};
	char *ask[] = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		program_path("hubbub-ctl"), "status", NULL};
	char folder[] = "/tmp/hubbub-run-XXXXXX", path[64];
	int without = geteuid() == 0 ? 0 : 4, port;
	struct program echo, asked;

	if (without == 0 && access(start[0], X_OK) != 0)
		cr_skip("needs setpriv");
	cr_assert_not_null(mkdtemp(folder));
	if (without == 0)
		cr_assert_eq(chown(folder, 65534, 65534), 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	cr_assert(program_start(&echo, start + without, 0));
	cr_assert(program_expect(&echo, ", pid ", 20), "%s", echo.text);
	cr_assert_eq(sscanf(strstr(echo.text, "ready: "), "ready: 127.0.0.1:%d", &port), 1);
	snprintf(path, sizeof path, "%s/hubbub-echo-%d.sock", folder, port);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert(program_start(&asked, ask + without, 0));
	cr_assert_eq(program_wait(&asked, 10), 0, "%s", asked.text);
	cr_assert_eq(program_stop(&echo, SIGTERM, 20), 0);
	cr_assert_neq(access(path, F_OK), 0);
	rmdir(folder);
	program_end(&asked);
	program_end(&echo);
}

Test(control, what_a_killed_server_leaves_is_taken_and_what_a_living_one_has_is_not)
{
	char option[160];
	struct program second;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	snprintf(option, sizeof option, "--control=%s", server.control);
	cr_assert_not(program_start_echo(&second, option, "-p1", "-t1", NULL));
	cr_assert_not_null(strstr(second.text, server.control), "%s", second.text);
	program_end(&second);
	cr_assert_eq(ctl("status", NULL), 0, "the living one keeps its socket: %s", output);
	program_stop(&server.program, SIGKILL, 5);
	cr_assert(program_start_echo(&second, option, "-p1", "-t1", NULL), "%s", second.text);
	cr_assert_eq(ctl("status", NULL), 0, "%s", output);
	cr_assert_eq(program_stop(&second, SIGTERM, 20), 0);
	program_end(&second);
}

static void
expect_silence(const char *command)
{
	cr_assert_eq(ctl(command, NULL), 1, "%s: %s", command, output);
	cr_assert_not_null(strstr(output, server.control), "%s: %s", command, output);
	cr_assert_not_null(
		strstr(output, "does not answer, and was told nothing: is its process stopped?"),
		"%s: %s", command, output);
}

Test(control, a_master_that_is_stopped_is_not_waited_for)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	kill(server.pid, SIGSTOP);
	expect_silence("status");
	expect_silence("reload");
	expect_silence("drain");
	expect_silence("stop");
	kill(server.pid, SIGCONT);
	/* What was given up is not done. */
	cr_assert_eq(ctl("status", NULL), 0, "%s", output);
	cr_assert_eq(server_number(&server, "totals.reloads"), 0);
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(control, a_socket_on_which_nobody_accepts_is_not_waited_for)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, full = 0;

	snprintf(server.control, sizeof server.control, "/tmp/hubbub-silent-%d", (int)getpid());
	snprintf(name.sun_path, sizeof name.sun_path, "%s", server.control);
	cr_assert_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
	cr_assert_eq(listen(listener, 0), 0);
	while (full == 0) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(fd, (struct sockaddr *)&name, sizeof name) != 0)
			full = errno;
	}
	cr_expect_eq(full, EAGAIN);
	expect_silence("status");
	unlink(server.control);
}

/* What takes long tells so each second. */
Test(control, a_long_drain_is_waited_for)
{
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--drain-timeout=12", NULL));
	/* It has said nothing yet, so it is not idle. */
	fd = client_connect(server.program.port);
	while (server_number(&server, "connections") == 0)
		poll(NULL, 0, 10);
	cr_assert_eq(ctl("drain", NULL), 0, "%s", output);
	cr_assert_not_null(strstr(output, "the server has ended"), "%s", output);
	close(fd);
}

Test(control, top_shows_a_screen)
{
	char *argv[] = {"/usr/bin/script", "-qec", NULL, "/dev/null", NULL};
	char command[400];
	struct program top;

	if (access(argv[0], X_OK) != 0)
		cr_skip("needs script(1)");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL));
	snprintf(command, sizeof command,
		"stty rows 24 cols 100; (sleep 2; echo q) | TERM=xterm %s --socket %s top",
		program_path("hubbub-ctl"), server.control);
	argv[2] = command;
	cr_assert(program_start(&top, argv, 0));
	program_wait(&top, 10);
	cr_assert_not_null(strstr(top.text, "WORKER"), "%s", top.text);
	cr_assert_not_null(strstr(top.text, "2x1"), "%s", top.text);
	program_end(&top);
	/* Without a terminal it says so. */
	cr_assert_eq(ctl("top", NULL), 1);
	cr_assert_not_null(strstr(output, "terminal"), "%s", output);
}

Test(control, without_a_folder_for_it_that_is_said)
{
	static char script[] =
		"mount -t tmpfs -o mode=755 none /run && unset XDG_RUNTIME_DIR && exec setpriv "
		"--reuid=65534 --regid=65534 --clear-groups \"$0\" "
		"--listen=127.0.0.1:0 -p1 -t1";
	char *argv[] = {"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script,
		program_path("hubbub-echo"), NULL};
	struct program echo;

	if (geteuid() != 0 ||
		system("unshare --mount mount -t tmpfs -o mode=755 none /run 2>/dev/null") != 0)
		cr_skip("needs root, and mounts of its own");
	cr_assert(program_start(&echo, argv, 0));
	cr_assert(program_expect(&echo, ", pid ", 20), "%s", echo.text);
	cr_assert_not_null(
		strstr(echo.text, "no folder for the control socket: neither /run/hubbub nor "
				  "$XDG_RUNTIME_DIR"),
		"%s", echo.text);
	cr_assert_eq(program_stop(&echo, SIGTERM, 20), 0);
	program_end(&echo);
}
