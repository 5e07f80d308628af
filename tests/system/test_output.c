/* What a service prints by stdio (prints.c) comes out exactly once, however its process ends, where
 * it is not captured (test_captured.c); and a reader that does not read delays no process. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

#define CLIENTS 8

/* Seconds: a drain that ends with its connections, and the kernel's bound on a worker without a
 * master. */
#define PATIENCE 20

static struct server server;
static char folder[FOLDER_SIZE], file[FOLDER_SIZE + 8], pipe_path[FOLDER_SIZE + 8];
static int pipe_end = -1;

static void
end(void)
{
	server_clean(&server);
	if (pipe_end != -1)
		close(pipe_end);
	folder_remove(folder);
}

TestSuite(output, .fini = end, .timeout = 600);

static void
drain(void)
{
	kill(server.pid, SIGTERM);
}

static void
stop(void)
{
	kill(server.pid, SIGINT);
}

static void
kill_master(void)
{
	kill(server.pid, SIGKILL);
}

static void
reload(void)
{
	cr_expect_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
}

static void
scale(void)
{
	cr_expect_eq(server_ctl(&server, "scale", "1x2", NULL, 0), 0);
}

static void
upgrade(void)
{
	cr_expect_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
}

static const struct {
	const char *name;
	void (*end)(void);
	int masters;
} ways[] = {
	{"drain", drain, 1},
	{"stop at once", stop, 1},
	{"the master's death", kill_master, 1},
	{"reload", reload, 1},
	{"scale", scale, 1},
	{"upgrade", upgrade, 2},
};
#define WAYS (sizeof ways / sizeof ways[0])

/* Counts the lines of the file that equal wanted. */
static int
count_lines(const char *wanted)
{
	FILE *lines = fopen(file, "re");
	char line[64];
	int count = 0;

	while (lines != NULL && fgets(line, sizeof line, lines) != NULL)
		count += strcmp(line, wanted) == 0;
	if (lines != NULL)
		fclose(lines);
	return count;
}

static bool
is_all_there(void *unused)
{
	(void)unused;
	return count_lines("served\n") >= CLIENTS;
}

static void
try_way(size_t way)
{
	unlink(file);
	cr_assert(server_start(&server, "prints", "2", "1", "--drain-timeout=5",
			  "--capture-output=off", NULL),
		"%s", server.program.text);
	for (int i = 0; i < CLIENTS; i++)
		cr_assert(client_is_answered(client_connect(server.program.port), "", "ok"));
	ways[way].end();
	cr_expect(wait_until(is_all_there, NULL, PATIENCE), "%s: %d of %d lines", ways[way].name,
		count_lines("served\n"), CLIENTS);
	server_clean(&server);
	cr_expect_eq(count_lines("served\n"), CLIENTS, "%s", ways[way].name);
	cr_expect_eq(count_lines("begun\n"), ways[way].masters, "%s: begun %d times",
		ways[way].name, count_lines("begun\n"));
}

static void
prepare(void)
{
	cr_assert(folder_make(folder));
	snprintf(file, sizeof file, "%s/file", folder);
	snprintf(pipe_path, sizeof pipe_path, "%s/pipe", folder);
	setenv("PRINTS_FILE", file, 1);
}

Test(output, what_a_service_prints_comes_out_once_whichever_way_it_ends)
{
	prepare();
	for (size_t way = 0; way < WAYS; way++)
		try_way(way);
}

/* The pipe is full from the start. */
Test(output, a_pipe_that_nobody_reads_keeps_neither_the_end_nor_other_output)
{
	static const char block[4096];

	prepare();
	cr_assert_eq(mkfifo(pipe_path, 0600), 0);
	pipe_end = open(pipe_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	while (write(pipe_end, block, sizeof block) > 0)
		continue;
	setenv("PRINTS_PIPE", pipe_path, 1);
	for (size_t way = 0; way < WAYS; way++)
		try_way(way);
	for (size_t way = 0; way < 2; way++) {
		/* Longer than the patience with its end. */
		cr_assert(server_start(&server, "prints", "2", "1", "--drain-timeout=1000",
			"--capture-output=off", NULL));
		cr_assert(client_is_answered(client_connect(server.program.port), "", "ok"));
		ways[way].end();
		cr_expect_eq(program_wait(&server.program, PATIENCE), way == 0 ? 0 : 128 + SIGINT,
			"%s", ways[way].name);
		server_clean(&server);
	}
}
