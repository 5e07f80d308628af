/* Reloads: what they change, what they keep, and that a reload which cannot succeed changes
 * nothing. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/folder.h"
#include "tests/system/changing.h"

TestSuite(reload, .init = changing_begin, .fini = changing_end, .timeout = 600);

Test(reload, it_reads_the_options_again_and_forgets_those_that_are_gone)
{
	changing_write("--reply=verbatim\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL), "%s",
		server.program.text);
	cr_assert(changing_answers("as it is", "as it is"));
	changing_write("# the defaults\n");
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	cr_assert(changing_answers("as it was", "AS IT WAS"));
	changing_write("--idle-timeout=1\n--threads=3\n");
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
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
		cr_assert(changing_answers("spin 300\n", "done\n"));
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

Test(reload, it_changes_how_workers_log)
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
	changing_write("");
	cr_assert(server_start(&server, "naughty", "1", "1", argument, NULL), "%s",
		server.program.text);
	cr_assert(complains_as(AS_TEXT, true), "%s", server.program.text);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		changing_write(cases[i].arguments);
		cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
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

Test(reload, one_with_wrong_options_changes_nothing_and_says_why)
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

	changing_write("--reply=verbatim\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL));
	generation = server_number(&server, "generation");
	worker = server_worker(&server, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		changing_write(cases[i].arguments);
		cr_assert_eq(changing_ctl("reload"), 1, "%s", cases[i].arguments);
		cr_assert_not_null(
			strstr(output, cases[i].why), "%s: %s", cases[i].arguments, output);
		cr_assert_eq(server_number(&server, "generation"), generation);
		cr_assert_eq(server_worker(&server, 0), worker);
		cr_assert(changing_answers("still", "still"));
	}
	/* Even a worker that is replaced now has the former options. */
	kill(worker, SIGKILL);
	poll(NULL, 0, 500);
	cr_assert(changing_answers("still", "still"));
	unlink(arguments);
	kill(server.pid, SIGHUP);
	cr_assert(
		program_expect(&server.program, "reload refused: @", 5), "%s", server.program.text);
	cr_assert(changing_answers("still", "still"));
	cr_assert_eq(server_end(&server, 20), 0);
}

/* A file of options that is still being written must not be taken for the whole. */
Test(reload, one_of_half_a_file_changes_nothing)
{
	static const char *const halves[] = {"", "--repl", "--reply", "--reply=verb"};

	changing_write("--reply=verbatim\n");
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", argument, NULL), "%s",
		server.program.text);
	for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
		changing_write(halves[i]);
		cr_assert_eq(changing_ctl("reload"), 1, "'%s'", halves[i]);
		cr_assert_not_null(strstr(output, arguments), "%s", output);
		cr_assert(changing_answers("as it is", "as it is"));
	}
	cr_assert_eq(unlink(arguments), 0);
	cr_assert_eq(mkdir(arguments, 0755), 0);
	cr_assert_eq(changing_ctl("reload"), 1);
	cr_assert_not_null(strstr(output, "Is a directory"), "%s", output);
	cr_assert_eq(rmdir(arguments), 0);
	changing_write("--proxy-protocol=on\n");
	cr_assert_eq(changing_ctl("reload"), 1);
	cr_assert_not_null(
		strstr(output, "--proxy-protocol cannot change by a reload"), "%s", output);
	cr_assert(changing_answers("as it is", "as it is"));
	changing_write("# none\n");
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	cr_assert(changing_answers("as it was", "AS IT WAS"));
	cr_assert_eq(server_end(&server, 20), 0);
}

/* Half a file may be valid as it stands, but a reload never turns encryption off or on. */
Test(reload, it_makes_no_plain_text_of_tls)
{
	struct certificate certificate = {.folder = ""};
	char both[4 * FOLDER_SIZE];

	if (!certificate_make(&certificate))
		cr_skip("needs openssl");
	snprintf(both, sizeof both, "--tls-cert=%s\n--tls-key=%s\n", certificate.file,
		certificate.key);
	changing_write(both);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", argument, NULL), "%s",
		server.program.text);
	changing_write("# --tls-cert\n");
	cr_assert_eq(changing_ctl("reload"), 1);
	cr_assert_not_null(
		strstr(output, "--tls-cert cannot change by a reload; upgrade"), "%s", output);
	changing_write(both);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	changing_write("--threads=1\n");
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert(changing_answers("plain", "PLAIN"));
	changing_write(both);
	cr_assert_eq(changing_ctl("reload"), 1, "the first one is none either");
	cr_assert_eq(server_end(&server, 20), 0);
	certificate_clean(&certificate);
}

Test(reload, one_whose_workers_cannot_start_changes_nothing)
{
	/* A gigabyte of stack for each coroutine does not fit into a worker's address space
	 * limit. */
	char *argv[] = {"/usr/bin/prlimit", NULL, program_path("hubbub-echo"),
		"--listen=127.0.0.1:0", "-p2", "-t1", argument, NULL};

	if (access(argv[0], X_OK) != 0 || program_is_sanitized())
		cr_skip("needs prlimit, and a program that a sanitizer does not map");
	argv[1] = "--as=2000000000";
	changing_write("");
	cr_assert(program_start(&server.program, argv, 0));
	cr_assert(program_expect(&server.program, ", pid ", 10), "%s", server.program.text);
	cr_assert_eq(sscanf(strstr(server.program.text, "ready: "), "ready: 127.0.0.1:%d",
			     &server.program.port),
		1);
	changing_write("--stack-size=1G\n");
	kill(server.program.pid, SIGHUP);
	cr_assert(program_expect(&server.program, "reload failed, and changed nothing", 10), "%s",
		server.program.text);
	cr_assert(changing_answers("still", "STILL"));
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0);
}

static bool
leaves_letters_alone(void *unused)
{
	(void)unused;
	return changing_answers("Now", "Now");
}

Test(reload, a_second_one_is_not_missed)
{
	changing_write("--reply=upper\n");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL));
	for (int i = 0; i < 5; i++)
		kill(server.pid, SIGHUP);
	changing_write("--reply=verbatim\n");
	kill(server.pid, SIGHUP);
	cr_assert(wait_until(leaves_letters_alone, NULL, 20), "%s", server.program.text);
	cr_assert_eq(server_end(&server, 20), 0);
}

static bool
has_reloaded(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.reloads") == 1;
}

Test(reload, a_worker_that_recovers_lets_it_go_on)
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
	cr_assert(wait_until(has_reloaded, NULL, 20), "%s", server.program.text);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	cr_assert_eq(server_end(&server, 20), 0);
}
