/* The log, which is standard error: rotated, kept through an upgrade, with files that run out, and
 * where nothing can be written. */
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

#define LIMIT (1 << 30) /* limit on file size: more than the counters need */

static char folder[FOLDER_SIZE], log_path[FOLDER_SIZE + 16], moved[FOLDER_SIZE + 16];
static struct server server;

static void
begin(void)
{
	cr_assert(folder_make(folder));
	snprintf(log_path, sizeof log_path, "%s/log", folder);
	snprintf(moved, sizeof moved, "%s/log.1", folder);
	snprintf(server.control, sizeof server.control, "%s/control", folder);
}

static void
end(void)
{
	program_end(&server.program);
	folder_remove(folder);
}

TestSuite(logs, .init = begin, .fini = end, .timeout = 600);

static bool
answers(void *unused)
{
	(void)unused;
	return server_ctl(&server, "status", NULL, NULL, 0) == 0;
}

/* Starts a server of two workers by a shell: before precedes the command, after redirects standard
 * error. Waits until the server is ready. */
static void
start(const char *program, const char *before, const char *after)
{
	static char command[1024];
	static char *argv[] = {"/bin/sh", "-c", command, NULL};

	snprintf(command, sizeof command, "%s exec %s --listen=127.0.0.1:0 -p2 -t1 --control=%s %s",
		before, program_path(program), server.control, after);
	cr_assert(program_start(&server.program, argv, 0));
	server.pid = server.program.pid;
	cr_assert(wait_until(answers, NULL, 20), "%s", server.program.text);
}

static void
start_with_log(const char *program)
{
	char after[FOLDER_SIZE + 32];

	snprintf(after, sizeof after, "2>>%s", log_path);
	start(program, "", after);
}

/* Returns a number of "status --json", of which no other has that name. */
static long
state_number(const char *name)
{
	char output[PROGRAM_OUTPUT_SIZE], key[64];
	const char *found;

	snprintf(key, sizeof key, "\"%s\":", name);
	if (server_ctl(&server, "status", "--json", output, sizeof output) < 0 ||
		(found = strstr(output, key)) == NULL)
		return -1;
	return atol(found + strlen(key));
}

/* Whether the master and each of its workers write to the file that has the log's name now. */
static bool
all_write_there(void *unused)
{
	pid_t children[16];
	int count = program_children(server.pid, children, 16);
	bool all_do = program_holds(server.pid, log_path) && count >= 2;

	(void)unused;
	for (int i = 0; i < count; i++)
		all_do = all_do && program_holds(children[i], log_path);
	return all_do;
}

static bool
is_another_master(void *unused)
{
	long pid = state_number("pid");

	(void)unused;
	if (pid <= 0 || pid == server.pid)
		return false;
	server.pid = (pid_t)pid;
	return true;
}

/* The new master inherits the file, but never learns its name. */
Test(logs, are_reopened_by_their_name_after_a_rotation_and_an_upgrade)
{
	char output[1024];

	start_with_log("hubbub-echo");
	cr_assert_eq(rename(log_path, moved), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 0, "%s", output);
	cr_assert(wait_until(is_another_master, NULL, 20));
	kill(server.pid, SIGUSR1);
	cr_assert(wait_until(all_write_there, NULL, 20));
	kill(server.pid, SIGKILL);
}

/* Whether a new master starts. If nobody looked meanwhile, and it serves already, another upgrade
 * begins. */
static bool
is_upgrading(void *unused)
{
	pid_t children[16];
	int count = program_children(server.pid, children, 16);

	(void)unused;
	if (count < 2 && is_another_master(NULL))
		kill(server.pid, SIGUSR2);
	return count > 2;
}

Test(logs, are_reopened_by_a_master_that_was_just_started)
{
	start_with_log("hubbub-echo");
	kill(server.pid, SIGUSR2);
	cr_assert(wait_until(is_upgrading, NULL, 20));
	cr_assert_eq(rename(log_path, moved), 0);
	kill(server.pid, SIGUSR1);
	cr_assert(wait_until(is_another_master, NULL, 20));
	cr_assert(wait_until(all_write_there, NULL, 20));
	kill(server.pid, SIGKILL);
}

/* ---- no files ---- */

/* A worker without a free descriptor gets the new log, and dumps its stacks. */
Test(logs, are_reopened_by_a_worker_whose_files_have_run_out)
{
	char after[2 * FOLDER_SIZE + 64], path[FOLDER_SIZE + 16], output[PROGRAM_OUTPUT_SIZE];
	int fds[2];

	snprintf(path, sizeof path, "%s/socket", folder);
	snprintf(after, sizeof after, "--listen=unix:%s 2>>%s", path, log_path);
	start("naughty", "ulimit -n 256;", after);
	for (int i = 0; i < 2; i++) {
		fds[i] = client_connect_path(path);
		cr_assert(client_exchange(fds[i], "files\n", "done\n"));
	}
	cr_assert_eq(rename(log_path, moved), 0);
	kill(server.pid, SIGUSR1);
	cr_assert(wait_until(all_write_there, NULL, 20));
	/* A second time. */
	cr_assert_eq(unlink(log_path), 0);
	kill(server.pid, SIGUSR1);
	cr_assert(wait_until(all_write_there, NULL, 20));
	cr_assert_eq(server_ctl(&server, "stacks", NULL, output, sizeof output), 0, "%s", output);
	cr_assert(strstr(output, "worker 0") != NULL && strstr(output, "worker 1") != NULL, "%s",
		output);
	close(fds[0]);
	close(fds[1]);
	kill(server.pid, SIGKILL);
}

/* ---- no room ---- */

static void
assert_still_serves(void)
{
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
		cr_assert_eq(kill(server.pid, 0), 0);
	}
	cr_assert_gt(state_number("log_lost"), 0);
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
}

Test(logs, a_line_beyond_the_limit_on_file_size_is_lost_and_counted)
{
	char before[64], after[FOLDER_SIZE + 32];

	snprintf(before, sizeof before, "prlimit --pid=$$ --fsize=%d;", LIMIT);
	snprintf(after, sizeof after, "2>>%s", log_path);
	start("hubbub-echo", before, after);
	cr_assert_eq(truncate(log_path, LIMIT - 10), 0);
	assert_still_serves();
}

Test(logs, a_line_for_a_full_device_is_lost_and_counted)
{
	start("hubbub-echo", "", "2>/dev/full");
	assert_still_serves();
}
