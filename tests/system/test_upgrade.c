/* Upgrades: which program runs then, and that an upgrade which cannot succeed is rolled back. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/system/changing.h"

TestSuite(upgrade, .init = changing_begin, .fini = changing_end, .timeout = 600);

Test(upgrade, one_that_exits_crashes_or_hangs_at_its_start_is_rolled_back)
{
	static const struct {
		const char *arguments;
		const char *why;
	} cases[] = {
		{"--start=exit\n", "exited with code 4 while it started"},
		{"--start=crash\n", "was killed by signal 6"},
		{"--start=hang\n", "did not get ready in time"},
		{"--start=badly\n", "exited with code 2"},
		{"--listen=127.0.0.1:1\n", "exited with code 1"},
	};
	pid_t master, worker;

	changing_write("--start=well\n");
	/* In that time a new program starts on a busy machine, too. */
	cr_assert(server_start(&server, "naughty", "2", "1",
			  program_is_sanitized() ? "--hang-timeout=20" : "--hang-timeout=5",
			  argument, NULL),
		"%s", server.program.text);
	master = server.pid;
	worker = server_worker(&server, 1);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		changing_write(cases[i].arguments);
		cr_assert_eq(changing_ctl("upgrade"), 1, "%s", cases[i].arguments);
		cr_assert_not_null(
			strstr(output, cases[i].why), "%s: %s", cases[i].arguments, output);
		cr_assert_eq(server_number(&server, "pid"), (long)master);
		cr_assert_eq(server_worker(&server, 1), worker, "it noticed");
		cr_assert(changing_answers("still\n", "STILL\n"));
	}
	changing_write("--start=well\n");
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_neq(server.pid, master);
	cr_assert(changing_answers("new\n", "NEW\n"));
	cr_assert_eq(program_wait(&server.program, 40), 0, "the former master has ended");
	cr_assert_eq(server_end(&server, 40), 0);
}

/* Queued clients stay queued, and the group keeps its order: each hub gets the connections that it
 * got before. */
Test(upgrade, it_gives_queues_that_are_there_their_new_length)
{
	int with_length = 0;

	changing_write("--backlog=100\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", argument, NULL), "%s",
		server.program.text);
	if (server_queues(server.program.port, 100, &with_length) == -1)
		cr_skip("needs sock_diag(7)");
	cr_assert_eq(with_length, 4);
	changing_write("--backlog=7\n");
	cr_assert_eq(changing_ctl("reload"), 1);
	cr_assert_not_null(strstr(output, "upgrade the server for that"), "%s", output);
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_eq(server_queues(server.program.port, 7, &with_length), 4);
	cr_assert_eq(with_length, 4);
	/* Also a listener that begins later. */
	cr_assert_eq(server_ctl(&server, "scale", "3x2", output, sizeof output), 0, "%s", output);
	cr_assert_eq(server_queues(server.program.port, 7, &with_length), 6);
	cr_assert_eq(with_length, 6);
	for (int i = 0; i < 60; i++)
		cr_assert(changing_answers("still", "STILL"), "client %d", i);
	cr_assert_eq(server_end(&server, 20), 0);
}

static void
copy_program(const char *name, const char *to)
{
	char command[512];

	/* By a rename, as a package manager does. */
	snprintf(command, sizeof command, "cp %s %s.new && mv %s.new %s", program_path(name), to,
		to, to);
	cr_assert_eq(system(command), 0);
}

/* Starts the service at a path, with a pid file and a control socket in the test's directory. */
static void
start_at(const char *path, struct program *echo)
{
	char option[100], control[130], *own = strdup(path);
	char *argv[] = {own, "--listen=127.0.0.1:0", "-p1", "-t1", control, option, NULL};

	snprintf(option, sizeof option, "--pidfile=%s/pid", folder);
	snprintf(server.control, sizeof server.control, "%s/control", folder);
	snprintf(control, sizeof control, "--control=%s", server.control);
	setenv("LD_LIBRARY_PATH", HUBBUB_BUILD_DIR "/lib", 1);
	cr_assert(program_start(echo, argv, 0));
	cr_assert(program_expect(echo, ", pid ", 20), "%s", echo->text);
	cr_assert_eq(
		sscanf(strstr(echo->text, "ready: "), "ready: 127.0.0.1:%d", &server.program.port),
		1);
	free(own);
}

/* The former master has ended; the pid file names the new one. */
static void
expect_successor(struct program *former)
{
	char path[96];
	FILE *file;

	cr_assert_eq(program_wait(former, 20), 0);
	snprintf(path, sizeof path, "%s/pid", folder);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file, "%d", &server.pid), 1);
	fclose(file);
}

/* The same, and the new master runs that program. */
static void
expect_successor_runs(const char *path, struct program *former)
{
	char link[96], target[200] = "";

	/* The program that runs now answers this line as naughty does, not as an echo. */
	cr_assert(changing_answers("sleep 1\n", "done\n"));
	expect_successor(former);
	snprintf(link, sizeof link, "/proc/%d/exe", (int)server.pid);
	cr_assert_gt(readlink(link, target, sizeof target - 1), 0);
	cr_assert_str_eq(target, path);
}

Test(upgrade, it_runs_the_program_that_is_now_in_its_place)
{
	char path[96], pidfile[96];
	struct program echo;
	struct stat now, then;

	snprintf(path, sizeof path, "%s/service", folder);
	snprintf(pidfile, sizeof pidfile, "%s/pid", folder);
	copy_program("hubbub-echo", path);
	cr_assert_eq(stat(path, &then), 0);
	start_at(path, &echo);
	unlink(path);
	cr_assert_eq(changing_ctl("upgrade"), 1);
	cr_assert_not_null(strstr(output, "cannot execute "), "%s", output);
	cr_assert_not_null(strstr(output, path), "%s", output);
	copy_program("naughty", path);
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	expect_successor_runs(path, &echo);
	cr_assert_eq(stat(path, &now), 0);
	cr_assert_neq(now.st_ino, then.st_ino);
	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert_neq(access(pidfile, F_OK), 0, "the pid file is left");
	program_end(&echo);
}

Test(upgrade, it_runs_the_program_that_its_name_means_now)
{
	char current[96], other[96], path[120], release[2][96];
	struct program echo;

	snprintf(current, sizeof current, "%s/current", folder);
	snprintf(other, sizeof other, "%s/other", folder);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%d", folder, i + 1);
		cr_assert_eq(mkdir(path, 0755), 0);
		snprintf(release[i], sizeof release[i], "%s/%d/service", folder, i + 1);
		copy_program(i == 0 ? "hubbub-echo" : "naughty", release[i]);
	}
	cr_assert_eq(symlink("1", current), 0);
	snprintf(path, sizeof path, "%s/service", current);
	start_at(path, &echo);
	cr_assert_eq(symlink("2", other), 0);
	cr_assert_eq(rename(other, current), 0);
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	expect_successor_runs(release[1], &echo);
	cr_assert_eq(server_end(&server, 20), 0);
	program_end(&echo);
}

/* Signals such as systemctl kill sends, to all processes of a service. */
Test(upgrade, a_new_program_does_not_die_of_requests_before_it_handles_them)
{
	char path[100], command[1024];
	struct program echo;

	snprintf(path, sizeof path, "%s/service", folder);
	copy_program("hubbub-echo", path);
	start_at(path, &echo);
	snprintf(command, sizeof command,
		"printf '#!/bin/sh\\nfor s in HUP USR1 USR2 TTIN TTOU; do kill -$s $$; done\\n"
		"exec %s \"$@\"\\n' >%s.new && chmod 755 %s.new && mv %s.new %s",
		program_path("hubbub-echo"), path, path, path, path);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	expect_successor(&echo);
	cr_assert(changing_answers("still", "STILL"));
	cr_assert_eq(server_end(&server, 20), 0);
	program_end(&echo);
}

static bool
has_one_child(void *pid)
{
	pid_t children[8];

	return program_children(*(pid_t *)pid, children, 8) == 1;
}

Test(upgrade, as_process_1_it_does_not_upgrade_and_reaps_strangers)
{
	char command[512];
	char *argv[] = {"/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c",
		command, NULL};
	struct program container;
	pid_t inner = 0;

	if (geteuid() != 0 || system("unshare --pid --fork --mount-proc true 2>/dev/null") != 0)
		cr_skip("needs to make a pid namespace");
	snprintf(server.control, sizeof server.control, "%s/control", folder);
	/* sleep is a child of the shell, and so of the server that the shell becomes by exec. */
	snprintf(command, sizeof command,
		"sleep 0.3 & exec %s --listen=127.0.0.1:0 -p1 -t1 --control=%s",
		program_path("hubbub-echo"), server.control);
	cr_assert(program_start(&container, argv, 0));
	cr_assert(program_expect(&container, ", pid 1\n", 20), "%s", container.text);
	cr_assert_eq(program_children(container.pid, &inner, 1), 1);
	cr_assert(wait_until(has_one_child, &inner, 20), "not only the worker is left");
	cr_assert_eq(changing_ctl("upgrade"), 1);
	cr_assert_not_null(strstr(output, "process 1"), "%s", output);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	kill(inner, SIGTERM);
	cr_assert_eq(program_wait(&container, 20), 0, "%s", container.text);
	program_end(&container);
}

/* The pid of the new master, which is the launcher's child; or the server's, if the new master was
 * quicker, and is no longer that. */
static pid_t
find_successor(void)
{
	int64_t end = clock_now() + 2 * CLOCK_SECOND;
	pid_t children[8], successor = 0;

	while (successor == 0 && clock_now() < end) {
		int count = program_children(server.pid, children, 8);

		if (count > 1)
			program_children(children[count - 1], &successor, 1);
	}
	return successor != 0 ? successor : (pid_t)server_number(&server, "pid");
}

/* Begins an upgrade, which is refused as long as a hub seems to hang. Returns the new master. */
static pid_t
begin_upgrade(pid_t master)
{
	int64_t end = clock_now() + (int64_t)program_patience(20) * CLOCK_SECOND;
	pid_t successor;

	do {
		cr_assert_lt(clock_now(), end);
		kill(master, SIGUSR2);
		successor = find_successor();
	} while (successor <= 0 || successor == master);
	return successor;
}

/* If the new master is killed at any moment of its start, or just after, the former one serves
 * on. */
Test(upgrade, one_that_dies_at_the_last_moment_is_rolled_back)
{
	pid_t master;
	int client;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	master = server.pid;
	/* A client that has sent nothing is not idle: it keeps the former master draining. */
	client = client_connect(server.program.port);
	/* The hub has accepted it before it answers the next one. */
	cr_assert(wait_until(changing_is_as_before, &master, 10), "%s", server.program.text);
	for (int i = 0; i < 15; i++) {
		pid_t successor = begin_upgrade(master);

		/* At another moment of the start each time. */
		usleep((useconds_t)(i * 700));
		kill(successor, SIGKILL);
		cr_assert(
			wait_until(changing_is_as_before, &master, 10), "%s", server.program.text);
	}
	close(client);
	cr_assert_eq(server_end(&server, 20), 0);
}
