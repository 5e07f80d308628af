/* Reload and upgrade: what they change, what they keep, and that a change which cannot succeed
 * changes nothing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

static struct server server;
static char output[PROGRAM_OUTPUT_SIZE];
static char folder[FOLDER_SIZE], arguments[96], argument[100];

static void
begin(void)
{
	cr_assert(folder_make(folder));
	snprintf(arguments, sizeof arguments, "%s/arguments", folder);
	snprintf(argument, sizeof argument, "@%s", arguments);
}

static void
end(void)
{
	server_clean(&server);
	folder_remove(folder);
}

TestSuite(change, .init = begin, .fini = end, .timeout = 600);

static void
write_arguments(const char *text)
{
	FILE *file = fopen(arguments, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static int
ctl(const char *command)
{
	return server_ctl(&server, command, NULL, output, sizeof output);
}

static bool
answers(const char *text, const char *expected)
{
	return client_is_answered(client_connect(server.program.port), text, expected);
}

/* ---- reload ---- */

Test(change, a_reload_reads_the_options_again_and_forgets_those_that_are_gone)
{
	write_arguments("--reply=verbatim\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL), "%s",
		server.program.text);
	cr_assert(answers("as it is", "as it is"));
	write_arguments("# the defaults\n");
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	cr_assert(answers("as it was", "AS IT WAS"));
	write_arguments("--idle-timeout=1\n--threads=3\n");
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	cr_assert_eq(server_number(&server, "threads"), 3);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* Whether the worker logs, in that form, that its hub is held up, or does not, as is expected. */
static bool
complains_as(const char *form, bool is_expected)
{
	char line[128];
	bool has_said = false;

	snprintf(line, sizeof line, form, (int)server_worker(&server, 0));
	/* On a busy machine the watchdog may not run while the hub is held up. */
	for (int tries = is_expected ? 20 : 1; tries > 0 && !has_said; tries--) {
		cr_assert(answers("spin 300\n", "done\n"));
		has_said = program_expect(&server.program, line, 0.5);
	}
	return has_said == is_expected;
}

static bool
is_replaced(void *worker)
{
	pid_t now = server_worker(&server, 0);

	return now > 0 && now != *(pid_t *)worker;
}

#define COMPLAINT "hub 0 of worker 0 has not switched"
#define AS_TEXT "warning naughty[%d]: " COMPLAINT
#define AS_JSON "\"program\":\"naughty\",\"pid\":%d,\"message\":\"" COMPLAINT

Test(change, a_reload_changes_how_workers_log)
{
	static const struct {
		const char *arguments;
		bool is_text, is_json;
	} cases[] = {
		{"--log-format=json\n", false, true},
		{"--log-format=json\n--log-level=error\n", false, false},
		{"--log-level=warning\n", true, false},
	};
	pid_t worker;

	unsetenv("HUBBUB_WATCHDOG");
	write_arguments("");
	cr_assert(server_start(&server, "naughty", "1", "1", argument, NULL), "%s",
		server.program.text);
	cr_assert(complains_as(AS_TEXT, true), "%s", server.program.text);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		write_arguments(cases[i].arguments);
		cr_assert_eq(ctl("reload"), 0, "%s", output);
		/* Both the worker that the reload starts, and the worker that replaces it. */
		for (int replaced = 0; replaced < 2; replaced++) {
			cr_assert(complains_as(AS_TEXT, cases[i].is_text), "%zu: %s", i,
				server.program.text);
			cr_assert(complains_as(AS_JSON, cases[i].is_json), "%zu: %s", i,
				server.program.text);
			worker = server_worker(&server, 0);
			kill(worker, SIGKILL);
			cr_assert(wait_until(is_replaced, &worker, 10));
		}
	}
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(change, a_reload_with_wrong_options_changes_nothing_and_says_why)
{
	static const struct {
		const char *arguments;
		const char *why;
	} cases[] = {
		{"--reply=lower\n", "--reply: 'lower' is not one of: upper, verbatim"},
		{"--processes=many\n", "--processes: 'many' is not a whole number"},
		{"--no-such-option\n", "--no-such-option: there is no such option"},
		{"--listen=127.0.0.1:1\n", "--listen cannot change by a reload"},
		{"--user=daemon\n", "--user cannot change by a reload"},
		{"--help\n", "see --help"},
		{"--idle-timeout\n", "lacks its value"},
		{"--processes=1000\n--threads=1000\n", "more than 2000 hubs"},
		{"--drain-timeout=1\nstray\n", "'stray' is not an option"},
	};
	long generation;
	pid_t worker;

	write_arguments("--reply=verbatim\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL));
	generation = server_number(&server, "generation");
	worker = server_worker(&server, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		write_arguments(cases[i].arguments);
		cr_assert_eq(ctl("reload"), 1, "%s", cases[i].arguments);
		cr_assert_not_null(
			strstr(output, cases[i].why), "%s: %s", cases[i].arguments, output);
		cr_assert_eq(server_number(&server, "generation"), generation);
		cr_assert_eq(server_worker(&server, 0), worker);
		cr_assert(answers("still", "still"));
	}
	/* Even a worker that is replaced now has the former options. */
	kill(worker, SIGKILL);
	poll(NULL, 0, 500);
	cr_assert(answers("still", "still"));
	unlink(arguments);
	kill(server.pid, SIGHUP);
	cr_assert(
		program_expect(&server.program, "reload refused: @", 5), "%s", server.program.text);
	cr_assert(answers("still", "still"));
	cr_assert_eq(server_end(&server, 20), 0);
}

/* A file of options that is still being written must not be taken for the whole. */
Test(change, a_reload_of_half_a_file_changes_nothing)
{
	static const char *const halves[] = {"", "--repl", "--reply", "--reply=verb"};

	write_arguments("--reply=verbatim\n");
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", argument, NULL), "%s",
		server.program.text);
	for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
		write_arguments(halves[i]);
		cr_assert_eq(ctl("reload"), 1, "'%s'", halves[i]);
		cr_assert_not_null(strstr(output, arguments), "%s", output);
		cr_assert(answers("as it is", "as it is"));
	}
	cr_assert_eq(unlink(arguments), 0);
	cr_assert_eq(mkdir(arguments, 0755), 0);
	cr_assert_eq(ctl("reload"), 1);
	cr_assert_not_null(strstr(output, "Is a directory"), "%s", output);
	cr_assert_eq(rmdir(arguments), 0);
	write_arguments("--proxy-protocol=on\n");
	cr_assert_eq(ctl("reload"), 1);
	cr_assert_not_null(
		strstr(output, "--proxy-protocol cannot change by a reload"), "%s", output);
	cr_assert(answers("as it is", "as it is"));
	write_arguments("# none\n");
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	cr_assert(answers("as it was", "AS IT WAS"));
	cr_assert_eq(server_end(&server, 20), 0);
}

/* Half a file may be valid as it stands, but a reload never turns encryption off or on. */
Test(change, a_reload_makes_no_plain_text_of_tls)
{
	struct certificate certificate = {.folder = ""};
	char both[4 * FOLDER_SIZE];

	if (!certificate_make(&certificate))
		cr_skip("needs openssl");
	snprintf(both, sizeof both, "--tls-cert=%s\n--tls-key=%s\n", certificate.file,
		certificate.key);
	write_arguments(both);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", argument, NULL), "%s",
		server.program.text);
	write_arguments("# --tls-cert\n");
	cr_assert_eq(ctl("reload"), 1);
	cr_assert_not_null(
		strstr(output, "--tls-cert cannot change by a reload; upgrade"), "%s", output);
	write_arguments(both);
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	write_arguments("--threads=1\n");
	cr_assert_eq(ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert(answers("plain", "PLAIN"));
	write_arguments(both);
	cr_assert_eq(ctl("reload"), 1, "the first one is none either");
	cr_assert_eq(server_end(&server, 20), 0);
	certificate_clean(&certificate);
}

Test(change, a_reload_whose_workers_cannot_start_changes_nothing)
{
	/* A gigabyte of stack for each coroutine does not fit into a worker's address space
	 * limit. */
	char *argv[] = {"/usr/bin/prlimit", NULL, program_path("hubbub-echo"),
		"--listen=127.0.0.1:0", "-p2", "-t1", argument, NULL};

	if (access(argv[0], X_OK) != 0 || program_is_sanitized())
		cr_skip("needs prlimit, and a program that a sanitizer does not map");
	argv[1] = "--as=2000000000";
	write_arguments("");
	cr_assert(program_start(&server.program, argv, 0));
	cr_assert(program_expect(&server.program, ", pid ", 10), "%s", server.program.text);
	cr_assert_eq(sscanf(strstr(server.program.text, "ready: "), "ready: 127.0.0.1:%d",
			     &server.program.port),
		1);
	write_arguments("--stack-size=1G\n");
	kill(server.program.pid, SIGHUP);
	cr_assert(program_expect(&server.program, "reload failed, and changed nothing", 10), "%s",
		server.program.text);
	cr_assert(answers("still", "STILL"));
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
}

Test(change, a_shape_that_was_set_while_it_ran_stays)
{
	write_arguments("--reply=verbatim\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL));
	cr_assert_eq(server_ctl(&server, "scale", "1x3", NULL, 0), 0);
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	cr_assert_eq(server_number(&server, "processes"), 1);
	cr_assert_eq(server_number(&server, "threads"), 3);
	cr_assert_eq(ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_eq(server_number(&server, "threads"), 3);
	/* Unless the options ask for another number than before. */
	write_arguments("--threads=2\n");
	cr_assert_eq(ctl("reload"), 0, "%s", output);
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
		cr_assert_eq(
			i == 2 ? kill(server.pid, SIGTERM) : ctl(i == 0 ? "reload" : "upgrade"), 0,
			"%s", output);
		server.pid = i == 2 ? server.pid : (pid_t)server_number(&server, "pid");
		cr_assert(wait_until(listens_no_more, &worker, 10), "change %d", i);
	}
	for (int i = 0; i < 3; i++) {
		cr_assert(client_exchange(clients[i], "still", "STILL"), "client %d", i);
		close(clients[i]);
	}
	cr_assert_eq(server_end(&server, 20), 0);
}

/* ---- upgrade ---- */

Test(change, an_upgrade_that_exits_crashes_or_hangs_at_its_start_is_rolled_back)
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

	write_arguments("--start=well\n");
	cr_assert(server_start(&server, "naughty", "2", "1", "--hang-timeout=2", argument, NULL),
		"%s", server.program.text);
	master = server.pid;
	worker = server_worker(&server, 1);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		write_arguments(cases[i].arguments);
		cr_assert_eq(ctl("upgrade"), 1, "%s", cases[i].arguments);
		cr_assert_not_null(
			strstr(output, cases[i].why), "%s: %s", cases[i].arguments, output);
		cr_assert_eq(server_number(&server, "pid"), (long)master);
		cr_assert_eq(server_worker(&server, 1), worker, "it noticed");
		cr_assert(answers("still\n", "STILL\n"));
	}
	write_arguments("--start=well\n");
	cr_assert_eq(ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_neq(server.pid, master);
	cr_assert(answers("new\n", "NEW\n"));
	cr_assert_eq(program_wait(&server.program, 40), 0, "the former master has ended");
	cr_assert_eq(server_end(&server, 40), 0);
}

/* Queued clients stay queued, and the group keeps its order: each hub gets the connections that it
 * got before. */
Test(change, an_upgrade_gives_queues_that_are_there_their_new_length)
{
	int with_length = 0;

	write_arguments("--backlog=100\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", argument, NULL), "%s",
		server.program.text);
	if (server_queues(server.program.port, 100, &with_length) == -1)
		cr_skip("needs sock_diag(7)");
	cr_assert_eq(with_length, 4);
	write_arguments("--backlog=7\n");
	cr_assert_eq(ctl("reload"), 1);
	cr_assert_not_null(strstr(output, "upgrade the server for that"), "%s", output);
	cr_assert_eq(ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_eq(server_queues(server.program.port, 7, &with_length), 4);
	cr_assert_eq(with_length, 4);
	/* Also a listener that begins later. */
	cr_assert_eq(server_ctl(&server, "scale", "3x2", output, sizeof output), 0, "%s", output);
	cr_assert_eq(server_queues(server.program.port, 7, &with_length), 6);
	cr_assert_eq(with_length, 6);
	for (int i = 0; i < 60; i++)
		cr_assert(answers("still", "STILL"), "client %d", i);
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
	cr_assert(answers("sleep 1\n", "done\n"));
	expect_successor(former);
	snprintf(link, sizeof link, "/proc/%d/exe", (int)server.pid);
	cr_assert_gt(readlink(link, target, sizeof target - 1), 0);
	cr_assert_str_eq(target, path);
}

Test(change, an_upgrade_runs_the_program_that_is_now_in_its_place)
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
	cr_assert_eq(ctl("upgrade"), 1);
	cr_assert_not_null(strstr(output, "cannot execute "), "%s", output);
	cr_assert_not_null(strstr(output, path), "%s", output);
	copy_program("naughty", path);
	cr_assert_eq(ctl("upgrade"), 0, "%s", output);
	expect_successor_runs(path, &echo);
	cr_assert_eq(stat(path, &now), 0);
	cr_assert_neq(now.st_ino, then.st_ino);
	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert_neq(access(pidfile, F_OK), 0, "the pid file is left");
	program_end(&echo);
}

Test(change, an_upgrade_runs_the_program_that_its_name_means_now)
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
	cr_assert_eq(ctl("upgrade"), 0, "%s", output);
	expect_successor_runs(release[1], &echo);
	cr_assert_eq(server_end(&server, 20), 0);
	program_end(&echo);
}

/* Signals such as systemctl kill sends, to all processes of a service. */
Test(change, a_new_program_does_not_die_of_requests_before_it_handles_them)
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
	cr_assert_eq(ctl("upgrade"), 0, "%s", output);
	expect_successor(&echo);
	cr_assert(answers("still", "STILL"));
	cr_assert_eq(server_end(&server, 20), 0);
	program_end(&echo);
}

Test(change, as_process_1_it_does_not_upgrade_and_reaps_strangers)
{
	char command[512];
	char *argv[] = {"/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c",
		command, NULL};
	pid_t inner = 0, children[8];
	struct program container;

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
	poll(NULL, 0, 800);
	cr_assert_eq(program_children(inner, children, 8), 1, "only the worker is left");
	cr_assert_eq(ctl("upgrade"), 1);
	cr_assert_not_null(strstr(output, "process 1"), "%s", output);
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	kill(inner, SIGTERM);
	cr_assert_eq(program_wait(&container, 20), 0, "%s", container.text);
	program_end(&container);
}

/* Whether the server serves, by its first master, and no change is under way. */
static bool
is_as_before(void *master)
{
	json_t *state = server_stats(&server);
	bool is_so = json_integer_value(json_object_get(state, "pid")) == *(pid_t *)master &&
		     json_is_true(json_object_get(state, "ready")) &&
		     json_is_false(json_object_get(state, "changing"));

	json_decref(state);
	return is_so && answers("still", "STILL");
}

/* The pid of the new master, which is the launcher's child. */
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
	return successor;
}

/* If the new master is killed at any moment of its start, or just after, the former one serves
 * on. */
Test(change, an_upgrade_that_dies_at_the_last_moment_is_rolled_back)
{
	pid_t master;
	int client;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	master = server.pid;
	/* A client that has sent nothing is not idle: it keeps the former master draining. */
	client = client_connect(server.program.port);
	for (int i = 0; i < 15; i++) {
		pid_t successor;

		kill(master, SIGUSR2);
		successor = find_successor();
		/* The new master was quicker, and is no longer a child of the launcher. */
		if (successor == 0)
			successor = (pid_t)server_number(&server, "pid");
		cr_assert_neq(successor, master);
		/* At another moment of the start each time. */
		usleep((useconds_t)(i * 700));
		kill(successor, SIGKILL);
		cr_assert(wait_until(is_as_before, &master, 10), "%s", server.program.text);
	}
	close(client);
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(change, a_second_reload_is_not_missed)
{
	write_arguments("--reply=upper\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL));
	for (int i = 0; i < 5; i++)
		kill(server.pid, SIGHUP);
	write_arguments("--reply=verbatim\n");
	kill(server.pid, SIGHUP);
	for (int i = 0; i < 100 && !answers("Now", "Now"); i++)
		poll(NULL, 0, 20);
	cr_assert(answers("Now", "Now"), "%s", server.program.text);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* Signals that arrive during a change, in any order, are acted on after it, by the master that
 * serves then. */
Test(change, signals_that_meet_a_change_are_done_after_it)
{
	static const int orders[][3] = {{SIGUSR2, SIGHUP, SIGTTIN}, {SIGHUP, SIGUSR2, SIGTTIN},
		{SIGTTIN, SIGUSR2, SIGHUP}, {SIGTTIN, SIGHUP, SIGUSR2}};
	long reloads = 0, upgrades = 0, processes = 1;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		pid_t master = server.pid;
		int64_t end = clock_now() + 40 * CLOCK_SECOND;

		for (int k = 0; k < 3; k++)
			kill(master, orders[i][k]);
		processes++;
		do {
			poll(NULL, 0, 20);
			upgrades = server_number(&server, "totals.upgrades");
			reloads = server_number(&server, "totals.reloads");
		} while (clock_now() < end &&
			 (upgrades != (long)i + 1 || reloads < (long)i + 1 ||
				 server_number(&server, "processes") != processes));
		cr_assert_eq(upgrades, (long)i + 1, "order %zu", i);
		cr_assert_geq(reloads, (long)i + 1, "order %zu", i);
		cr_assert_eq(server_number(&server, "processes"), processes, "order %zu", i);
		server.pid = (pid_t)server_number(&server, "pid");
		cr_assert(wait_until(is_as_before, &server.pid, 20));
	}
	/* A stop wins. */
	kill(server.pid, SIGUSR2);
	kill(server.pid, SIGHUP);
	cr_assert_eq(server_end(&server, 40), 0);
}

Test(change, a_worker_that_recovers_lets_the_reload_go_on)
{
	pid_t fresh[2] = {0}, children[8];

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL));
	kill(server.pid, SIGSTOP);
	kill(server.pid, SIGHUP);
	kill(server.pid, SIGCONT);
	for (int i = 0; i < 20000 && fresh[1] == 0; i++)
		if (program_children(server.pid, children, 8) == 4) {
			fresh[0] = children[2];
			fresh[1] = children[3];
		}
	if (fresh[1] == 0)
		cr_skip("it was too quick to be stopped");
	/* One worker is ready and stops, so that it hangs when the other one becomes ready. */
	kill(fresh[1], SIGSTOP);
	kill(fresh[0], SIGSTOP);
	poll(NULL, 0, 50);
	kill(fresh[0], SIGCONT);
	poll(NULL, 0, 200);
	kill(fresh[0], SIGSTOP);
	poll(NULL, 0, 900);
	kill(fresh[1], SIGCONT);
	poll(NULL, 0, 200);
	kill(fresh[0], SIGCONT);
	for (int i = 0; i < 300 && server_number(&server, "totals.reloads") == 0; i++)
		poll(NULL, 0, 10);
	cr_assert_eq(server_number(&server, "totals.reloads"), 1, "%s", server.program.text);
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	cr_assert_eq(server_end(&server, 20), 0);
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
		cr_assert_lt(clock_now() - began, 30 * CLOCK_SECOND);
		cr_assert(wait_until(has_files, &files, 10), "%s: %d files", shapes[i],
			program_files(server.program.pid));
		cr_assert_eq(program_children(server.program.pid, children, 32), 1);
	}
	cr_assert_eq(ctl("status"), 0);
	cr_assert_not_null(strstr(output, "; 1 process x 1 thread"), "%s", output);
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	cr_assert(answers("still", "STILL"));
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
}

Test(change, many_threads_all_accept)
{
	/* A sanitizer takes long for each thread. */
	const char *threads = program_is_sanitized() ? "100" : "300";

	cr_assert(server_start(&server, "hubbub-echo", "1", threads, NULL), "%s",
		server.program.text);
	for (int i = 0; i < 400; i++)
		cr_assert(answers("every", "EVERY"), "client %d", i);
	cr_assert_eq(ctl("reload"), 0, "%s", output);
	for (int i = 0; i < 400; i++)
		cr_assert(answers("every", "EVERY"), "client %d after the reload", i);
	cr_assert_eq(server_end(&server, 40), 0);
}
