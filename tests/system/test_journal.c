/* Standard error that is systemd's journal, which a socket plays here: each line has its level, and
 * nothing that the journal adds itself. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

static struct server server;
static int journal, journal_end; /* the test's end, and the programs' end */
static char said[PROGRAM_OUTPUT_SIZE];
static size_t length;

static void
begin(void)
{
	struct stat status;
	char text[64];
	int pair[2];

	cr_assert(server_make_folder(&server));
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	journal = pair[0];
	journal_end = pair[1];
	cr_assert_eq(fstat(journal_end, &status), 0);
	snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
}

static void
end(void)
{
	server_clean(&server);
}

TestSuite(journal, .init = begin, .fini = end, .timeout = 600);

/* Whether the journal has the text by now. */
static bool
has(void *text)
{
	ssize_t received;

	while (length < sizeof said - 1 && (received = recv(journal, said + length,
						    sizeof said - 1 - length, MSG_DONTWAIT)) > 0)
		length += (size_t)received;
	return strstr(said, text) != NULL;
}

static void
expect(const char *text)
{
	cr_assert(wait_until(has, (void *)(uintptr_t)text, 20), "no %s in: %s", text, said);
}

/* Starts a program of this build with those arguments, whose standard error is the journal. */
static void
start(const char *name, const char *arguments)
{
	static char command[512];
	static char *argv[] = {"/bin/bash", "-c", command, NULL};

	snprintf(command, sizeof command, "exec %s --control=%s %s 2>&%d", program_path(name),
		server.control, arguments, journal_end);
	cr_assert(program_start(&server.program, argv, 0));
	server.pid = server.program.pid;
}

static int
port(void)
{
	int number = 0;

	expect("<6>ready: 127.0.0.1:");
	sscanf(strstr(said, "ready: "), "ready: 127.0.0.1:%d", &number);
	return number;
}

/* Asserts that each line begins with a level, and goes on with words. */
static void
assert_levels(void)
{
	for (const char *line = said; *line != '\0'; line = strchr(line, '\n') + 1) {
		cr_assert(strspn(line, "<") == 1 && strspn(line + 1, "3467") == 1 &&
				  strspn(line + 2, ">") == 1,
			"%s", line);
		cr_assert_neq(strncmp(line + 3, "20", 2), 0, "a time: %s", line);
		cr_assert_not_null(strchr(line, '\n'), "%s", line);
	}
	cr_assert_null(strstr(said, "naughty["));
	cr_assert_null(strstr(said, "hubbub-echo["));
}

Test(journal, each_line_of_master_and_workers_has_its_level)
{
	int fd;

	start("naughty", "--listen=127.0.0.1:0 -p1 -t1");
	fd = client_connect(port());
	if (getenv("HUBBUB_WATCHDOG") == NULL) {
		cr_assert(client_exchange(fd, "spin 3000\n", "done\n"));
		expect("\n<4>hub 0 of worker 0 has not switched");
		expect("\n<4>      #0 ");
	}
	if (!program_is_sanitized()) {
		cr_assert_eq(send(fd, "crash\n", 6, 0), 6);
		expect("\n<3>worker 0 crashed: signal 11");
		expect(", hub 0 crashed in:\n<3>      #0 ");
	}
	close(fd);
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
	expect("\n<6>stopped: served");
	assert_levels();
}

Test(journal, a_new_master_and_what_it_refuses_have_their_levels)
{
	char output[1024];

	start("hubbub-echo", "--listen=127.0.0.1:0 -p1 -t1");
	port();
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 0, "%s", output);
	expect("\n<6>took over from the former master");
	cr_assert_neq(server_ctl(&server, "scale", "999x999", output, sizeof output), 0);
	expect("\n<3>scale refused: ");
	cr_assert_eq(server_ctl(&server, "stop", NULL, output, sizeof output), 0, "%s", output);
	has("");
	assert_levels();
}

Test(journal, json_lines_have_their_level)
{
	start("hubbub-echo", "--listen=127.0.0.1:0 -p1 -t1 --log-format=json");
	expect(",\"message\":\"ready: 127.0.0.1:");
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
	expect("\n<6>{\"time\":\"20");
	assert_levels();
}

/* What ends a program before it has a log; and what hubbub-ctl reports of a reload to its
 * caller. */
Test(journal, errors_of_the_command_line_are_errors_there)
{
	start("hubbub-echo", "--nonsense");
	cr_assert_eq(program_wait(&server.program, 20), 2);
	expect("<3>");
	cr_assert(has("--nonsense"), "%s", said);
	assert_levels();
	program_end(&server.program);
	snprintf(server.control, sizeof server.control, "/no/such");
	length = 0;
	memset(said, 0, sizeof said);
	start("hubbub-echo", "--listen=127.0.0.1:0 -p1 -t1");
	cr_assert_eq(program_wait(&server.program, 20), 1);
	expect("<3>cannot open the control socket /no/such");
	assert_levels();
}

Test(journal, errors_of_hubbub_ctl_are_errors_there)
{
	static const char *const commands[] = {"status", "wait", "wiat"};
	static char command[512];
	char *argv[] = {"/bin/bash", "-c", command, NULL};

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		snprintf(command, sizeof command, "exec %s --socket=/no/such --timeout=1 %s 2>&%d",
			program_path("hubbub-ctl"), commands[i], journal_end);
		cr_assert(program_start(&server.program, argv, 0));
		cr_assert_gt(program_wait(&server.program, 20), 0, "%s", commands[i]);
		length = 0;
		memset(said, 0, sizeof said);
		expect("\n");
		cr_assert_eq(strncmp(said, "<3>", 3), 0, "%s: %s", commands[i], said);
		assert_levels();
		program_end(&server.program);
	}
}

Test(journal, that_is_somebody_elses_is_no_journal)
{
	char *argv[] = {program_path("hubbub-echo"), "--listen=127.0.0.1:0", "-p1", "-t1", NULL};

	cr_assert(program_start(&server.program, argv, 0));
	cr_assert(program_expect(&server.program, "ready: 127.0.0.1:", 20), "%s",
		server.program.text);
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
	cr_assert_null(strstr(server.program.text, "<6>"), "%s", server.program.text);
	cr_assert_not_null(
		strstr(server.program.text, "Z info    hubbub-echo["), "%s", server.program.text);
}
