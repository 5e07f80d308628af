/* What a service prints and logs (talker.c) comes into the server's log: each line once, however
 * its process ends; and neither the server nor the service waits for who reads the log. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

/* Seconds. */
#define PATIENCE 20

static struct server server;
static char folder[FOLDER_SIZE], file[FOLDER_SIZE + 8];
static int client = -1;

static void
end(void)
{
	if (client != -1)
		close(client);
	server_clean(&server);
	folder_remove(folder);
}

TestSuite(captured_output, .fini = end, .timeout = 600);

/* Starts the service with one hub and connects to it. */
static void
start(const char *option)
{
	cr_assert(
		server_start(&server, "talker", "1", "1", option, NULL), "%s", server.program.text);
	client = client_connect(server.program.port);
}

static void
tell(const char *line)
{
	cr_assert(client_exchange(client, line, "done\n"), "%s", line);
}

/* Asserts that the log has the text soon, behind "]: ", and a newline behind it. */
static void
expect_line(const char *text)
{
	char line[512];

	snprintf(line, sizeof line, "]: %s\n", text);
	cr_expect(program_expect(&server.program, line, PATIENCE), "%s is not in: %s", text,
		server.program.text);
}

static int
count_of(const char *text, const char *wanted)
{
	int count = 0;

	for (; (text = strstr(text, wanted)) != NULL; text++)
		count++;
	return count;
}

static bool
has_line(void *line)
{
	return program_expect(&server.program, line, 0.1);
}

Test(captured_output, lines_of_a_service_and_of_what_it_starts_are_in_the_log)
{
	char whose[64];

	start(NULL);
	tell("print one word\n");
	tell("complain <4>another\n");
	tell("start echo a child\n");
	tell("log \x1b[2J\n");
	expect_line("one word worker=0");
	expect_line("another worker=0");
	expect_line("a child worker=0");
	snprintf(whose, sizeof whose, "Z warning talker[%d]: another", server_worker(&server, 0));
	cr_expect_not_null(strstr(server.program.text, whose), "%s", server.program.text);
	cr_expect(program_expect(&server.program,
			  "what=\"\\x1b[2J\" worker=0 hub=0 coroutine=connection client=127.0.0.1:",
			  PATIENCE),
		"%s", server.program.text);
	cr_expect_eq(server_end(&server, PATIENCE), 0);
	cr_expect_eq(count_of(server.program.text, "one word"), 1);
}

Test(captured_output, is_left_alone_if_an_option_says_so)
{
	start("--capture-output=off");
	tell("complain <4>another\n");
	cr_expect(program_expect(&server.program, "\n<4>another\n", PATIENCE), "%s",
		server.program.text);
}

/* Also what it had not ended. */
Test(captured_output, a_sudden_end_loses_nothing)
{
	static const char *const ends[] = {"end kill\n", "end abort\n", "end exit\n"};

	start(NULL);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		char line[32];

		snprintf(line, sizeof line, "print before %zu\n", i);
		tell(line);
		cr_assert_eq(write(client, ends[i], strlen(ends[i])), (ssize_t)strlen(ends[i]));
		snprintf(line, sizeof line, "before %zu worker=0", i);
		expect_line(line);
		cr_expect(program_expect(&server.program, "]: half of worker=0\n", PATIENCE));
		close(client);
		client = client_connect(server.program.port);
		server.program.text[server.program.length = 0] = '\0';
		tell("print again\n");
	}
	/* What is said of a death comes behind what the dead has said. */
	tell("print last\n");
	cr_assert_eq(write(client, "end kill\n", 9), 9);
	cr_assert(program_expect(&server.program, "was killed by signal 9", PATIENCE));
	cr_expect_lt(strstr(server.program.text, "half of"),
		strstr(server.program.text, "was killed by signal 9"));
}

/* More than a pipe has room for. */
Test(captured_output, many_lines_all_arrive_while_operators_are_answered)
{
	FILE *lines;
	char line[256], command[256];
	char *argv[] = {"/bin/sh", "-c", command, NULL};
	int next = 0;

	cr_assert(folder_make(folder) && server_make_folder(&server));
	snprintf(file, sizeof file, "%s/log", folder);
	snprintf(command, sizeof command, "exec %s --listen=127.0.0.1:0 -p1 -t1 --control=%s 2>>%s",
		program_path("talker"), server.control, file);
	cr_assert(program_start(&server.program, argv, 0));
	server.pid = server.program.pid;
	cr_assert_eq(server_ctl(&server, "wait", NULL, NULL, 0), 0);
	lines = fopen(file, "re");
	while (fscanf(lines, "ready: 127.0.0.1:%d", &server.program.port) != 1)
		cr_assert_not_null(fgets(line, sizeof line, lines));
	client = client_connect(server.program.port);
	cr_assert_eq(write(client, "many 30000\n", 11), 11);
	cr_expect_eq(server_ctl(&server, "status", NULL, NULL, 0), 0);
	cr_assert(client_exchange(client, "print the end\n", "done\ndone\n"));
	cr_expect_eq(program_stop(&server.program, SIGTERM, PATIENCE), 0);
	while (fgets(line, sizeof line, lines) != NULL) {
		const char *found = strstr(line, "]: line ");

		if (found == NULL)
			continue;
		cr_assert_eq(atoi(found + 8), next, "%s", line);
		next++;
	}
	fclose(lines);
	cr_expect_eq(next, 30000);
}

static bool
is_well(void *unused)
{
	(void)unused;
	return server_hub(&server, 0, 0, "hung") == 0;
}

Test(captured_output, the_reader_of_the_log_may_stop)
{
	/* Nobody reads the server's output here: the test's pipe is full after 64 KiB. */
	start(NULL);
	for (int i = 0; i < 3; i++)
		tell("many 5000\n");
	tell("log still here\n");
	cr_expect_eq(server_ctl(&server, "status", NULL, NULL, 0), 0);
	cr_expect_gt(server_number(&server, "totals.log_lost"), 0);
	/* On a busy machine it may have been late; who waits for the reader would still wait. */
	cr_expect(wait_until(is_well, NULL, 20));
}

/* ---- masters ---- */

static bool
is_printed(void *unused)
{
	(void)unused;
	tell("print awake\n");
	return has_line("]: awake worker=0\n");
}

/* As much as the pipe has room for: 256 KiB. When the master goes on, more comes at once than this
 * test reads. */
Test(captured_output, a_service_goes_on_while_its_master_is_stopped)
{
	start(NULL);
	cr_assert_eq(kill(server.pid, SIGSTOP), 0);
	tell("many 2000\n");
	cr_assert_eq(kill(server.pid, SIGCONT), 0);
	cr_expect(wait_until(is_printed, NULL, PATIENCE), "%s", server.program.text);
}

Test(captured_output, goes_where_the_log_goes_when_the_master_is_dead)
{
	start(NULL);
	tell("print before\n");
	expect_line("before worker=0");
	cr_assert_eq(kill(server.pid, SIGKILL), 0);
	/* The worker drains, and this connection has not ended. */
	cr_expect(program_expect(&server.program, "the master is gone", PATIENCE), "%s",
		server.program.text);
	tell("complain alone\n");
	cr_expect(wait_until(has_line, "\nalone\n", PATIENCE), "%s", server.program.text);
}

Test(captured_output, former_workers_are_read_until_they_end)
{
	start(NULL);
	/* Part of the next request is there each time, so no drain ends the connection. */
	tell("print first\npr");
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	tell("int second\npr");
	expect_line("second worker=0");
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	tell("int third\n");
	expect_line("third worker=0");
}
