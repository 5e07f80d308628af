/* hubbub-ctl and the control socket: each command, and clients that are silent, slow or many. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
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
		{"--sokcet=/x", "status", 2, "no such option; did you mean --socket?"},
		{"--verson", NULL, 2, "no such option; did you mean --version?"},
		{"--json", "scale", 2, "--json is for status alone"},
	};

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_assert_eq(ctl(cases[i].command, cases[i].argument), cases[i].code, "%s: %s",
			cases[i].command, output);
		cr_assert_not_null(strstr(output, cases[i].phrase), "%s", output);
	}
	cr_assert_eq(ctl("status", NULL), 0, "it is as it was");
}

Test(control, what_cannot_be_written_is_an_error)
{
	static char script[] = "exec \"$0\" --socket \"$1\" \"$2\" $3";
	static const char *const commands[] = {"status", "stacks"};
	static const char *const outputs[] = {">/dev/full", ">&-"};

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < 4; i++) {
		char line[sizeof script + 16];
		char *argv[] = {"/bin/sh", "-c", line, program_path("hubbub-ctl"), server.control,
			(char *)(uintptr_t)commands[i / 2], NULL};
		struct program asked;

		snprintf(line, sizeof line, "%.*s%s", (int)strlen(script) - 2, script,
			outputs[i % 2]);
		cr_assert(program_start(&asked, argv, 0));
		cr_assert_eq(program_wait(&asked, 20), 1, "%s %s", commands[i / 2], asked.text);
		cr_assert_not_null(strstr(asked.text, "cannot be written"), "%s", asked.text);
		program_end(&asked);
	}
}

static bool
has_one_connection(void *unused)
{
	(void)unused;
	return server_number(&server, "connections") == 1;
}

Test(control, drain_waits_for_the_end_and_shows_progress)
{
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", "--drain-timeout=2", NULL));
	/* The client has sent nothing, so the drain waits for it. */
	fd = client_connect(server.program.port);
	cr_assert(wait_until(has_one_connection, NULL, 20));
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
	int fd = client_connect_path(server.control);

	cr_assert_neq(fd, -1);
	return fd;
}

/* Sends a line, half-closes, and expects an answer. */
static void
ask_and_end(const char *line)
{
	size_t length = 0;
	ssize_t got;
	int fd = connect_control();

	send(fd, line, strlen(line), MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	while ((got = recv(fd, output + length, sizeof output - 1 - length, 0)) > 0)
		length += (size_t)got;
	output[length] = '\0';
	cr_assert_eq(got, 0, "%s", line);
	close(fd);
}

/* As nc -N does. */
Test(control, whoever_sends_no_more_is_answered)
{
	static const char *const lines[] = {
		"status\n", "reload\n", "scale 2x1\n", "stacks\n", "upgrade\n"};
	int64_t end = clock_now() + (int64_t)program_patience(20) * CLOCK_SECOND;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		do
			ask_and_end(lines[i]);
		while (strstr(output, SERVER_NOT_READY) != NULL && clock_now() < end &&
			poll(NULL, 0, 200) == 0);
		cr_assert(*output == '+' || strstr(output, "\n+") != NULL, "%s: '%s'", lines[i],
			output);
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
	/* Some clients ask and never read; more than may connect send nothing. */
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

/* The state does not wait for a hub: on a busy machine one of several answers comes at once. */
static bool
is_told_at_once(void *unused)
{
	int64_t began = clock_now();

	(void)unused;
	return ctl("status", NULL) == 0 && clock_now() - began < 2 * CLOCK_SECOND;
}

/* The hubs that can answer do, unless they are late; the hub that does not is named. */
static bool
two_hubs_answer(void *unused)
{
	(void)unused;
	return ctl("stacks", NULL) == 1 && strstr(output, "hub 1 of worker 1") != NULL &&
	       strstr(output, "2 of 4 hubs did not answer") != NULL;
}

Test(control, it_answers_while_a_worker_is_frozen)
{
	pid_t worker;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--hang-timeout=0", NULL));
	worker = server_worker(&server, 0);
	kill(worker, SIGSTOP);
	cr_assert(wait_until(is_told_at_once, NULL, 20), "%s", output);
	cr_assert(wait_until(two_hubs_answer, NULL, 20), "%s", output);
	kill(worker, SIGCONT);
}

static bool
all_hubs_answer(void *unused)
{
	(void)unused;
	return ctl("stacks", NULL) == 0;
}

Test(control, stacks_shows_every_coroutine)
{
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", NULL));
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "a", "A"));
	cr_assert(wait_until(all_hubs_answer, NULL, 20), "%s", output);
	for (int worker = 0; worker < 2; worker++)
		for (int hub = 0; hub < 2; hub++) {
			char heading[64];

			snprintf(heading, sizeof heading, "hub %d of worker %d", hub, worker);
			cr_assert_not_null(strstr(output, heading), "%s", output);
		}
	cr_assert_not_null(strstr(output, "\"connection\": waits for recv on fd "), "%s", output);
	close(fd);
}

/* A client that connects and asks nothing gives way to one that asks, and hubbub-ctl does not take
 * a connection that is closed for the server's end. */
Test(control, a_thousand_that_ask_nothing_shut_nobody_out)
{
	static int silent[1000];
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--drain-timeout=1", NULL));
	for (int i = 0; i < 1000; i++)
		silent[i] = connect_control();
	cr_assert_eq(ctl("status", NULL), 0, "%s", output);
	cr_assert_eq(ctl("reload", NULL), 0, "%s", output);
	fd = client_connect(server.program.port);
	cr_assert_eq(ctl("drain", NULL), 0, "%s", output);
	cr_assert_not_null(strstr(output, "the server has ended"), "%s", output);
	/* The server has ended: its process is gone when hubbub-ctl returns. */
	cr_assert_eq(program_wait(&server.program, 0), 0);
	for (int i = 0; i < 1000; i++)
		close(silent[i]);
	close(fd);
}

/* Plays a server of a former release, which hangs up on a client when it has many. */
static pid_t
hang_up_on_all(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t child;

	snprintf(server.control, sizeof server.control, "/tmp/hubbub-closes-%d", (int)getpid());
	snprintf(name.sun_path, sizeof name.sun_path, "%s", server.control);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		unlink(server.control);
		if (bind(listener, (struct sockaddr *)&name, sizeof name) != 0 ||
			listen(listener, 8) != 0)
			_exit(1);
		for (;;)
			close(accept(listener, NULL, NULL));
	}
	close(listener);
	while (access(server.control, F_OK) != 0)
		poll(NULL, 0, 1);
	return child;
}

Test(control, a_connection_that_is_closed_is_not_the_servers_end)
{
	pid_t child = hang_up_on_all();
	char named[64];

	snprintf(named, sizeof named, "the server (pid %d) closed the connection", (int)child);
	cr_assert_eq(ctl("drain", NULL), 1, "%s", output);
	cr_assert_not_null(strstr(output, named), "%s", output);
	cr_assert_not_null(strstr(output, "still runs"), "%s", output);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(server.control);
}

/* hubbub-ctl learns it from the kernel, by the server's process. */
Test(control, a_server_that_is_killed_while_it_drains_has_ended)
{
	char *argv[] = {NULL, "--socket", server.control, "drain", NULL};
	struct program asking;
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--drain-timeout=60", NULL));
	argv[0] = program_path("hubbub-ctl");
	fd = client_connect(server.program.port);
	cr_assert(program_start(&asking, argv, 0));
	cr_assert(program_expect(&asking, "1 connection is open", 20), "%s", asking.text);
	program_stop(&server.program, SIGKILL, 10);
	cr_assert_eq(program_wait(&asking, 20), 0, "%s", asking.text);
	cr_assert_not_null(strstr(asking.text, "the server has ended"), "%s", asking.text);
	program_end(&asking);
	close(fd);
}

/* Who stops a service in the middle of its reload gives hubbub-ctl time to be stopped, too. */
Test(control, a_reload_that_meets_a_stop_does_not_fail_at_once)
{
	int64_t began;
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--drain-timeout=60", NULL));
	fd = client_connect(server.program.port);
	cr_assert_eq(kill(server.pid, SIGTERM), 0);
	cr_assert(program_expect(&server.program, "stopping: ", 20), "%s", server.program.text);
	began = clock_now();
	cr_assert_eq(ctl("reload", NULL), 1, "%s", output);
	cr_assert_geq(clock_now() - began, CLOCK_SECOND);
	cr_assert_not_null(strstr(output, "the server is stopping"), "%s", output);
	close(fd);
}

Test(control, no_command_is_waited_for_longer_than_was_said)
{
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--drain-timeout=20", NULL));
	fd = client_connect(server.program.port);
	cr_assert_eq(ctl("--timeout=2", "drain"), 1, "%s", output);
	cr_assert_not_null(strstr(output, "not done after 2 seconds (--timeout); the server (pid "),
		"%s", output);
	cr_assert_eq(server_number(&server, "connections"), 1, "it goes on");
	close(fd);
	cr_assert_eq(program_wait(&server.program, 30), 0);
	cr_assert_eq(ctl("--timeout=0", "status"), 2);
	cr_assert_eq(ctl("--timeout=1m", "status"), 2);
}
