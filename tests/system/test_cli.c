/* Wrong usage of the programs: one clear line, the right exit code, and no process left running. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/program.h"

static struct program program;

/* Runs hubbub-echo with these arguments to its end; returns the exit code. */
static int __attribute__((sentinel)) run(unsigned files, ...)
{
	char *argv[32] = {program_path("hubbub-echo")};
	int count = 1;
	va_list more;

	va_start(more, files);
	while ((argv[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	cr_assert(program_start(&program, argv, files));
	return program_wait(&program, 20);
}

static void
end(void)
{
	program_end(&program);
}

TestSuite(cli, .fini = end, .timeout = 600);

Test(cli, every_wrong_value_is_named_with_what_would_be_right)
{
	static const struct {
		char *argument;
		const char *phrases[3];
	} cases[] = {
		{"--processes=0", {"--processes", "'0'", "from 1 to 1024"}},
		{"--processes=two", {"--processes", "'two'", "'auto'"}},
		{"--threads=-1", {"--threads", "'-1'", "from 1 to 1024"}},
		{"--threads=99999", {"--threads", "'99999'", "from 1 to 1024"}},
		{"--backlog=0", {"--backlog", "'0'", "from 1"}},
		{"--drain-timeout=soon", {"--drain-timeout", "'soon'", "seconds"}},
		{"--drain-timeout=-1", {"--drain-timeout", "'-1'", "seconds"}},
		{"--stack-size=1K", {"--stack-size", "'1K'", "16K to 1G"}},
		{"--stack-size=64Q", {"--stack-size", "'64Q'", "16K to 1G"}},
		{"--max-connections=0", {"--max-connections", "'0'", "from 1"}},
		{"--idle-timeout=never", {"--idle-timeout", "'never'", "seconds"}},
		{"--balance=even", {"--balance", "'even'", "load, hash"}},
		{"--admin=9091", {"--admin", "'9091'", "HOST:PORT"}},
		{"--hang-timeout=-3", {"--hang-timeout", "'-3'", "seconds"}},
		{"--backend=kqueue", {"--backend", "'kqueue'", "epoll, poll"}},
		{"--log-level=loud", {"--log-level", "'loud'", "error, warning, info, debug"}},
		{"--log-format=xml", {"--log-format", "'xml'", "text, json"}},
		{"--listen=9090", {"--listen", "'9090'", "HOST:PORT"}},
		{"--listen=::1:90", {"--listen", "'::1:90'", "brackets"}},
		{"--listen=1.2.3.4:70000", {"--listen", "70000", "0 (any free one) to 65535"}},
		{"--reply=lower", {"--reply", "'lower'", "upper, verbatim"}},
		{"--procesess=2", {"--procesess", "no such option", "--processes"}},
		{"--listne=:1", {"--listne", "no such option", "--listen"}},
		{"--group=daemon", {"--group", "needs", "--user"}},
		{"9090", {"'9090'", "not an option", "--listen"}},
		{"--drain-timeout=s", {"--drain-timeout", "'s'", "seconds"}},
		{"--drain-timeout=0x10", {"--drain-timeout", "'0x10'", "seconds"}},
		{"--listen=http://127.0.0.1:80/", {"--listen", "is a URL", "HOST:PORT"}},
		{"@/tmp", {"@/tmp", "cannot read", "Is a directory"}},
		{"--admin=127.0.0.1", {"--admin", "'127.0.0.1'", "not HOST:PORT, [V6]:PORT or :P"}},
		{"--user=nobody-here", {"--user", "'nobody-here'", "there is no user"}},
		{"@/no/such/file", {"@/no/such/file", "cannot read", "No such file"}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_assert_eq(run(0, cases[i].argument, NULL), 2, "%s: %s", cases[i].argument,
			program.text);
		cr_assert_eq(program_lines(&program), 1, "%s", program.text);
		for (int phrase = 0; phrase < 3; phrase++)
			cr_assert_not_null(strstr(program.text, cases[i].phrases[phrase]),
				"%s does not say '%s': %s", cases[i].argument,
				cases[i].phrases[phrase], program.text);
		program_end(&program);
	}
}

Test(cli, an_address_that_is_not_ours)
{
	cr_assert_eq(run(0, "--listen=203.0.113.1:9090", "-p1", "-t1", NULL), 1);
	cr_assert_not_null(strstr(program.text, "203.0.113.1:9090"));
	cr_assert_not_null(strstr(program.text, "no interface"));
	cr_assert_eq(program_lines(&program), 1, "%s", program.text);
}

Test(cli, a_busy_port_names_the_address_and_the_holder)
{
	struct program first;
	char option[64], holder[64];

	cr_assert(program_start_echo(&first, "-p1", "-t1", NULL));
	snprintf(option, sizeof option, "--listen=127.0.0.1:%d", first.port);
	cr_assert_eq(run(0, option, "-p1", "-t1", NULL), 1);
	snprintf(holder, sizeof holder, "pid %d", (int)first.pid);
	cr_assert_not_null(strstr(program.text, option + 9), "%s", program.text);
	cr_assert_not_null(strstr(program.text, holder), "%s", program.text);
	program_end(&program);
	/* All addresses include the first server's. */
	snprintf(option, sizeof option, "--listen=:%d", first.port);
	cr_assert_eq(run(0, option, "-p1", "-t1", NULL), 1);
	cr_assert_not_null(strstr(program.text, "in use by pid"), "%s", program.text);
	program_end(&first);
}

Test(cli, a_privileged_port_without_privilege)
{
	char *argv[] = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		program_path("hubbub-echo"), "--listen=127.0.0.1:80", "-p1", "-t1", NULL};

	if (geteuid() != 0 || access(argv[4], X_OK) != 0)
		cr_skip("needs to start as root");
	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 20), 1, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "127.0.0.1:80"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "privilege"), "%s", program.text);
}

Test(cli, a_file_limit_that_is_too_low)
{
	cr_assert_eq(run(40, "--listen=127.0.0.1:0", "-p4", "-t4", NULL), 1);
	cr_assert_not_null(strstr(program.text, "limit of 40 open files"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "ulimit -n"), "%s", program.text);
	cr_assert_eq(program_lines(&program), 1, "%s", program.text);
}

Test(cli, users_that_cannot_be)
{
	cr_assert_eq(run(0, "--user=no-such-user", "-p1", "-t1", NULL), 2);
	cr_assert_not_null(strstr(program.text, "no user 'no-such-user'"), "%s", program.text);
}

Test(cli, a_pid_file_that_cannot_be_written)
{
	cr_assert_eq(
		run(0, "--listen=127.0.0.1:0", "--pidfile=/no/such/folder/pid", "-p1", "-t1", NULL),
		1);
	cr_assert_not_null(strstr(program.text, "/no/such/folder/pid"), "%s", program.text);
}

Test(cli, an_error_names_the_program_in_one_way_and_no_hidden_option)
{
	cr_assert_eq(run(0, "--pro", NULL), 2);
	cr_assert_eq(strncmp(program.text, "hubbub-echo: ", 13), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "--proxy-from"), "%s", program.text);
	cr_assert_null(strstr(program.text, "--program-name"), "%s", program.text);
	program_end(&program);
	cr_assert_eq(run(0, "-x", NULL), 2);
	cr_assert_eq(strncmp(program.text, "hubbub-echo: ", 13), 0, "%s", program.text);
}

Test(cli, hubbub_load_says_it_as_the_server_does)
{
	static const struct {
		char *arguments[2];
		int code;
		const char *starts;
	} cases[] = {
		{{"-x", ":1"}, 2, "hubbub-load: invalid option -- 'x'"},
		{{"--usage"}, 0, "Usage: hubbub-load "},
		{{"serach", "x"}, 2, "hubbub-load: there is no command 'serach'; did you mean"},
		{{"--grid=1x1,2", ":1"}, 2,
			"hubbub-load: --grid: '1x1,2' is not processes x threads, as in 2x1: '2'"},
		{{"report", "/no.json"}, 1, "hubbub-load: /no.json cannot be read: No such file"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *argv[] = {program_path("hubbub-load"), cases[i].arguments[0],
			cases[i].arguments[1], NULL};

		cr_assert(program_start(&program, argv, 0));
		cr_assert_eq(program_wait(&program, 20), cases[i].code, "%s", program.text);
		cr_assert_eq(strncmp(program.text, cases[i].starts, strlen(cases[i].starts)), 0,
			"%s", program.text);
		program_end(&program);
	}
}

Test(cli, check_validates_and_exits)
{
	cr_assert_eq(run(0, "--check", "--listen=127.0.0.1:1", "-p2", "-t2", NULL), 0);
	cr_assert_not_null(strstr(program.text, "valid"), "%s", program.text);
	program_end(&program);
	cr_assert_eq(run(0, "--check", "--processes=x", NULL), 2);
}

Test(cli, the_configuration_can_be_printed_and_used_again)
{
	char path[] = "/tmp/hubbub-config-XXXXXX", at[64], *first;
	int fd = mkstemp(path);

	setenv("HUBBUB_SERVER_REPLY", "verbatim", 1);
	setenv("HUBBUB_SERVER_LISTEN", "127.0.0.1:1 unix:/tmp/never", 1);
	cr_assert_eq(run(0, "--print-config", "--idle-timeout=1.5", "--pin", NULL), 0);
	first = strdup(program.text);
	program_end(&program);
	cr_assert_not_null(strstr(first, "# --idle-timeout: from the command line\n"
					 "--idle-timeout=1500ms\n"),
		"%s", first);
	cr_assert_not_null(strstr(first, "# --reply: from HUBBUB_SERVER_REPLY in the environment\n"
					 "--reply=verbatim\n"),
		"%s", first);
	cr_assert_not_null(strstr(first, "\n--listen=unix:/tmp/never\n"), "%s", first);
	cr_assert_not_null(strstr(first, "# --backlog=4096 (default)\n"), "%s", first);
	cr_assert_not_null(strstr(first, "# --threads=auto (default)\n"), "%s", first);
	cr_assert_eq(write(fd, first, strlen(first)), (ssize_t)strlen(first));
	close(fd);
	unsetenv("HUBBUB_SERVER_REPLY");
	unsetenv("HUBBUB_SERVER_LISTEN");
	snprintf(at, sizeof at, "@%s", path);
	cr_assert_eq(run(0, "--print-config", at, NULL), 0, "%s", program.text);
	unlink(path);
	/* Every line but comments is unchanged. */
	for (char *line = strtok(first, "\n"); line != NULL; line = strtok(NULL, "\n"))
		if (strncmp(line, "--", 2) == 0)
			cr_assert_not_null(strstr(program.text, line), "%s", line);
	cr_assert_not_null(strstr(program.text, path), "%s", program.text);
	free(first);
	program_end(&program);
	cr_assert_eq(run(0, "--print-config", "--threads=x", NULL), 2);
	program_end(&program);
	cr_assert_eq(run(0, "--print-config", "--user=no-such-user", NULL), 2);
}

Test(cli, what_cannot_be_written_is_an_error)
{
	static char script[] = "exec \"$0\" \"$1\" >/dev/full";
	static const char *const programs[] = {"hubbub-echo", "hubbub-ctl", "hubbub-load"};
	static const char *const prints[] = {
		"--help", "--usage", "--version", "-V", "-h", "--print-config", "--check"};

	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		/* The last two belong to the server only. */
		for (size_t j = 0; j < sizeof prints / sizeof prints[0] - (i == 0 ? 0 : 2); j++) {
			char *argv[] = {"/bin/sh", "-c", script, program_path(programs[i]),
				(char *)(uintptr_t)prints[j], NULL};

			cr_assert(program_start(&program, argv, 0));
			cr_assert_eq(
				program_wait(&program, 20), 1, "%s %s", programs[i], prints[j]);
			cr_assert_not_null(strstr(program.text, "cannot be written"), "%s %s: %s",
				programs[i], prints[j], program.text);
			program_end(&program);
		}
}

Test(cli, the_environment_sets_what_the_command_line_does_not)
{
	struct program first;

	setenv("HUBBUB_SERVER_THREADS", "x", 1);
	cr_assert_eq(run(0, "--check", NULL), 2);
	cr_assert_not_null(strstr(program.text, "HUBBUB_SERVER_THREADS: 'x'"), "%s", program.text);
	cr_assert_eq(program_lines(&program), 1, "%s", program.text);
	program_end(&program);
	cr_assert_eq(run(0, "--check", "--threads=1", NULL), 0, "%s", program.text);
	program_end(&program);
	setenv("HUBBUB_SERVER_LISTEN", "9090", 1);
	cr_assert_eq(run(0, "--check", "-t1", NULL), 2);
	cr_assert_not_null(
		strstr(program.text, "HUBBUB_SERVER_LISTEN: '9090'"), "%s", program.text);
	setenv("HUBBUB_SERVER_LISTEN", "127.0.0.1:0", 1);
	setenv("HUBBUB_SERVER_THREADS", "2", 1);
	cr_assert(program_start_echo(&first, "-p1", NULL), "%s", first.text);
	cr_assert_not_null(strstr(first.text, "1 process x 2 threads"), "%s", first.text);
	cr_assert_eq(program_stop(&first, SIGTERM, 20), 0);
	program_end(&first);
}

Test(cli, a_start_that_cannot_succeed_ends_with_the_reason)
{
	/* Every worker dies as soon as it is forked: there is address space for the counters, but
	 * none for its first hub. */
	char *echo = program_path("hubbub-echo");
	char *argv[] = {"/usr/bin/prlimit", "--as=800000000", echo, "--listen=127.0.0.1:0", "-p1",
		"-t2", NULL};

	if (access(argv[0], X_OK) != 0 || program_is_sanitized())
		cr_skip("needs prlimit, and a program that a sanitizer does not map");
	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 30), 1, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "giving up"), "%s", program.text);
}

/* Whether the first worker exists and has /dev/null for its three streams. */
static bool
has_null_streams(void *context)
{
	char path[64], link[64];
	pid_t worker;

	(void)context;
	if (program_children(program.pid, &worker, 1) != 1)
		return false;
	for (int fd = 0; fd < 3; fd++) {
		ssize_t length;

		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)worker, fd);
		length = readlink(path, link, sizeof link - 1);
		if (length <= 0)
			return false;
		link[length] = '\0';
		if (strcmp(link, "/dev/null") != 0)
			return false;
	}
	return true;
}

Test(cli, standard_streams_that_are_closed_are_not_taken_by_sockets)
{
	/* A worker whose output is captured has a pipe soon. */
	char *argv[] = {"/bin/sh", "-c",
		"exec \"$0\" --listen=127.0.0.1:0 -p1 -t1 --capture-output=off <&- >&- 2>&-",
		program_path("hubbub-echo"), NULL};

	cr_assert(program_start(&program, argv, 0));
	cr_assert(wait_until(has_null_streams, NULL, 10));
	cr_assert_eq(program_stop(&program, SIGTERM, 20), 0);
}

/* Passed descriptors that are not open belong to no one, and the server opens none of its own in
 * their place. */
Test(cli, passed_descriptors_that_are_closed_are_not_taken_for_its_own)
{
	char *argv[] = {"/bin/sh", "-c",
		"export LISTEN_FDS=6 LISTEN_PID=$$; exec \"$0\" --listen=127.0.0.1:0 -p1 -t1 5>&1",
		program_path("hubbub-echo"), NULL};

	cr_assert(program_start(&program, argv, 0));
	cr_assert(program_expect(&program, ", pid ", 10), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "the passed socket 4 (no address) is none"), "%s",
		program.text);
	cr_assert_eq(program_stop(&program, SIGTERM, 20), 0);
}

Test(cli, one_address_named_twice_is_one_address)
{
	struct program first;
	char option[64];

	cr_assert(program_start_echo(&first, "-p1", "-t1", NULL));
	snprintf(option, sizeof option, "--listen=127.0.0.1:%d", first.port);
	cr_assert_eq(program_stop(&first, SIGTERM, 20), 0);
	cr_assert(program_start_echo(&first, option, option, "-p1", "-t1", NULL), "%s", first.text);
	program_end(&first);
}

Test(cli, a_pid_file_of_a_running_server_is_not_taken)
{
	char path[] = "/tmp/hubbub-pid-XXXXXX", option[64];
	struct program first;

	close(mkstemp(path));
	snprintf(option, sizeof option, "--pidfile=%s", path);
	cr_assert(program_start_echo(&first, option, "-p1", "-t1", NULL), "%s", first.text);
	cr_assert_eq(run(0, "--listen=127.0.0.1:0", option, "-p1", "-t1", NULL), 1);
	cr_assert_not_null(strstr(program.text, "which runs"), "%s", program.text);
	cr_assert_eq(access(path, F_OK), 0, "it is gone");
	cr_assert_eq(program_stop(&first, SIGTERM, 20), 0);
	cr_assert_neq(access(path, F_OK), 0, "it is left");
	program_end(&program);
	cr_assert_eq(run(0, "--listen=127.0.0.1:0", "--pidfile=/dev/null", "-p1", "-t1", NULL), 1);
	cr_assert_not_null(strstr(program.text, "not a regular file"), "%s", program.text);
	program_end(&first);
}
