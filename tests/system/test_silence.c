/* What hubbub-ctl does with a server that answers nothing, or nonsense. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

static struct server server;
static char output[PROGRAM_OUTPUT_SIZE];

static void
end(void)
{
	server_clean(&server);
}

TestSuite(silence, .fini = end, .timeout = 600);

static int
ctl(const char *command, const char *argument)
{
	return server_ctl(&server, command, argument, output, sizeof output);
}

static void
expect_silence(const char *command)
{
	cr_assert_eq(ctl(command, NULL), 1, "%s: %s", command, output);
	if (server.pid > 0) {
		char named[64];

		snprintf(named, sizeof named, "the server (pid %d) at", (int)server.pid);
		cr_assert_not_null(strstr(output, named), "%s: %s", command, output);
	}
	cr_assert_not_null(strstr(output, server.control), "%s: %s", command, output);
	cr_assert_not_null(
		strstr(output, "does not answer, and has begun nothing: is its process stopped?"),
		"%s: %s", command, output);
}

Test(silence, a_master_that_is_stopped_is_not_waited_for)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	kill(server.pid, SIGSTOP);
	expect_silence("status");
	expect_silence("drain");
	/* Nor does hubbub-ctl claim that the server goes on with a request that it has not read. */
	cr_assert_eq(ctl("--timeout=2", "reload"), 1, "%s", output);
	cr_assert_not_null(strstr(output, "has said nothing in 2 seconds"), "%s", output);
	kill(server.pid, SIGCONT);
	/* A request that hubbub-ctl gave up is not acted on. */
	cr_assert_eq(ctl("status", NULL), 0, "%s", output);
	cr_assert_eq(server_number(&server, "totals.reloads"), 0);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* hubbub-ctl names the new master, not the one that made the socket. */
Test(silence, after_an_upgrade_the_new_master_is_the_one_that_is_named)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	cr_assert_eq(ctl("upgrade", NULL), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	/* After the former master is gone: at its end the kernel resumes processes of its group
	 * that are stopped. */
	cr_assert_eq(program_wait(&server.program, 20), 0);
	kill(server.pid, SIGSTOP);
	expect_silence("status");
	kill(server.pid, SIGCONT);
	cr_assert_eq(ctl("drain", NULL), 0, "%s", output);
	cr_assert_not_null(strstr(output, "the server has ended"), "%s", output);
}

Test(silence, a_socket_on_which_nobody_accepts_is_not_waited_for)
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

/* Plays, in a child, a hostile server, which answers what it likes. */
static pid_t
start_impostor(const char *answer)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	char request[64];
	pid_t pid;

	snprintf(name.sun_path, sizeof name.sun_path, "%s", server.control);
	unlink(server.control);
	cr_assert_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
	cr_assert_eq(listen(listener, 8), 0);
	pid = fork();
	if (pid != 0) {
		close(listener);
		return pid;
	}
	fd = accept(listener, NULL, NULL);
	if (recv(fd, request, sizeof request, 0) > 0)
		send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	/* Reads the whole request: a close with unread bytes would reset the connection, and lose
	 * the answer. */
	shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof request, 0) > 0)
		continue;
	close(fd);
	_exit(0);
}

Test(silence, what_a_server_says_is_text_and_commands_no_terminal)
{
	static const char *const answers[][2] = {
		{"stacks", "|one \x1b[31m two\n+ok \x1b]0;title\x07\n"},
		{"reload", "-not \x1b[2J yet\n!no \xc2\x9b"
			   "31m\n"},
		{"status",
			"|{\"name\": \"one \\u001b[31m \\u009b2J two\", \"events\": []}\n+ready\n"},
	};

	snprintf(server.control, sizeof server.control, "/tmp/hubbub-impostor-%d", (int)getpid());
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		pid_t pid = start_impostor(answers[i][1]);

		ctl(answers[i][0], NULL);
		waitpid(pid, NULL, 0);
		cr_expect(strstr(output, "?[31m") != NULL || strstr(output, "?[2J") != NULL,
			"%s: %s", answers[i][0], output);
		cr_expect_null(strpbrk(output, "\x1b\x07\x9b"), "%s: %s", answers[i][0], output);
	}
	unlink(server.control);
}

/* A command that takes long reports that each second. */
Test(silence, a_long_drain_is_waited_for)
{
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--drain-timeout=12", NULL));
	/* The client has sent nothing, so it is not idle. */
	fd = client_connect(server.program.port);
	while (server_number(&server, "connections") == 0)
		poll(NULL, 0, 10);
	cr_assert_eq(ctl("drain", NULL), 0, "%s", output);
	cr_assert_not_null(strstr(output, "the server has ended"), "%s", output);
	close(fd);
}
