/* Hooks of services: when they run, what one that fails or does not return costs, and that text and
 * name reach who has to know. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/system/changing.h"

/* Tests of the hang timeout set it to 5 s, in which a hook of a busy machine returns. */
TestSuite(hooks, .init = changing_begin, .fini = changing_end, .timeout = 300);

/* The line that a new client gets; static until the next call. *client, if not NULL, is left open.
 * */
static const char *
greeting(int *client)
{
	static char line[64];
	int fd = client_connect(server.program.port);
	ssize_t got = recv(fd, line, sizeof line - 1, 0);

	line[got > 0 ? got : 0] = '\0';
	if (client != NULL)
		*client = fd;
	else
		close(fd);
	return line;
}

Test(hooks, run_once_in_each_worker_and_hub_and_in_order)
{
	static const char *const once[] = {"worker_start 0.0 of 1\n", "worker_start 1.0 of 1\n",
		"hub_start 0.0 of 1\n", "hub_start 0.1 of 1\n", "hub_start 1.0 of 1\n",
		"hub_start 1.1 of 1\n", "draining 1.1 of 1\n", "hub_stop 0.0 of 1\n",
		"hub_stop 1.1 of 1\n", "worker_stop 0.0 of 1\n", "worker_stop 1.0 of 1\n"};

	cr_assert(server_start(&server, "hooked", "2", "2", BARE, NULL), "%s", server.program.text);
	cr_assert_eq(server_end(&server, 20), 0);
	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
		cr_assert_eq(changing_count(once[i]), 1, "%s: %s", once[i], server.program.text);
	cr_assert_eq(changing_count("reloaded"), 0);
	cr_assert(
		changing_is_before("worker_start 0.0", "hub_start 0.1"), "%s", server.program.text);
	cr_assert(changing_is_before("hub_start 0.1", "ready:"), "%s", server.program.text);
	cr_assert(changing_is_before("draining 0.1", "hub_stop 0.1"), "%s", server.program.text);
	cr_assert(changing_is_before("hub_stop 0.1", "worker_stop 0.0"), "%s", server.program.text);
}

/* A connection with which the drain waits, since its request has not been answered. */
Test(hooks, of_the_end_wait_for_the_last_connection)
{
	int client;

	cr_assert(server_start(&server, "hooked", "1", "1", BARE, NULL), "%s", server.program.text);
	cr_assert_str_eq(greeting(&client), "0 0 1 1 1\n");
	kill(server.pid, SIGTERM);
	cr_assert(program_expect(&server.program, "draining 0.0 of 1\n", 10));
	cr_assert_eq(changing_count("hub_stop"), 0);
	close(client);
	cr_assert_eq(program_wait(&server.program, 20), 0);
	cr_assert_eq(changing_count("hub_stop 0.0 of 1\n"), 1);
	cr_assert_eq(changing_count("worker_stop 0.0 of 1\n"), 1);
}

Test(hooks, at_the_first_start_one_that_fails_is_the_end_and_its_text_is_printed)
{
	static const struct {
		const char *argument, *text;
		bool stops;
	} cases[] = {
		{"--fails=worker_start",
			"cannot start: worker_start of worker 0: worker_start was told to fail",
			false},
		{"--fails=hub_start", " of worker 0: hub_start was told to fail", true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct program program;
		char *const command[] = {program_path("hooked"), "-p", "1", "-t", "2",
			(char *)(uintptr_t)cases[i].argument, NULL};

		cr_assert(program_start(&program, command, 0));
		cr_assert_eq(program_wait(&program, 20), 1, "%s", program.text);
		cr_assert_not_null(strstr(program.text, cases[i].text), "%s", program.text);
		cr_assert_null(strstr(program.text, "ready:"), "%s", program.text);
		cr_assert_null(strstr(program.text, "starting another"), "%s", program.text);
		/* What has not begun is not ended. */
		cr_assert_eq(strstr(program.text, "worker_stop ") != NULL, cases[i].stops, "%s",
			program.text);
		cr_assert_null(strstr(program.text, "hub_stop "), "%s", program.text);
		program_end(&program);
	}
}

/* Not even a hook that does not end when it is killed keeps the server from ending. */
Test(hooks, at_the_first_start_one_that_does_not_return_is_the_end_and_is_named)
{
	static const char *const hooks[] = {"--waits=worker_start", "--hangs=hub_start",
		"--blocks=worker_start", "--blocks=hub_start"};

	for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
		const char *name = strchr(hooks[i], '=') + 1;
		struct program program;
		char *const command[] = {program_path("hooked"), "-p", "1", "-t", "1",
			"--hang-timeout=5", (char *)(uintptr_t)hooks[i], NULL};
		char said[80];

		cr_assert(program_start(&program, command, 0));
		cr_assert_eq(program_wait(&program, 20), 1, "%s", program.text);
		snprintf(said, sizeof said, "cannot start: %s of worker 0 has not returned for 5 s",
			name);
		cr_assert_not_null(strstr(program.text, said), "%s", program.text);
		program_end(&program);
	}
}

Test(hooks, one_that_fails_in_a_reload_leaves_all_as_it_was_and_ctl_says_why)
{
	static const struct {
		const char *arguments, *why;
	} cases[] = {
		{"--fails=worker_start\n",
			"worker_start of worker 0: worker_start was told to fail"},
		{"--fails=hub_start\n", "of worker 0: hub_start was told to fail"},
		{"--fails=reloaded\n", "reloaded of worker 0: reloaded was told to fail"},
		{"--hang-timeout=5\n--waits=worker_start\n",
			"worker_start of worker 0 has not returned for 5 s"},
		/* Without a CPU it is given more time. */
		{"--hang-timeout=5\n--hangs=hub_start\n", "hub_start of worker 0 has not returned"},
		{"--hang-timeout=5\n--blocks=reloaded\n",
			"reloaded of worker 0 has not returned for 5 s"},
		{"--exits=hub_start\n", "worker 0 died in hub_start; the log says why"},
	};
	pid_t worker;

	changing_write("");
	cr_assert(server_start(&server, "hooked", "1", "2", BARE, argument, NULL), "%s",
		server.program.text);
	worker = server_worker(&server, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		changing_write(cases[i].arguments);
		cr_assert_eq(changing_ctl("reload"), 1, "%s", output);
		cr_assert_not_null(strstr(output, cases[i].why), "%zu: %s", i, output);
		cr_assert_eq(server_worker(&server, 0), worker);
	}
	changing_write("");
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	cr_assert_neq(server_worker(&server, 0), worker);
	/* Each reload has been another generation. */
	cr_assert(program_expect(&server.program, "reloaded 0.0 of 9\n", 10), "%s",
		server.program.text);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* Worker 0 has started, and goes on. */
Test(hooks, one_that_fails_in_a_scale_leaves_all_as_it_was_and_ctl_says_why)
{
	static const struct {
		const char *argument, *more, *why;
	} cases[] = {
		{"--fails=worker_start", NULL,
			"worker_start of worker 1: worker_start was told to fail"},
		{"--fails=hub_start", NULL, "of worker 1: hub_start was told to fail"},
		{"--blocks=hub_start", "--hang-timeout=5",
			"hub_start of worker 1 has not returned for 5 s"},
		{"--exits=worker_start", NULL, "worker 1 died in worker_start"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		pid_t worker;

		cr_assert(server_start(&server, "hooked", "1", "1", "--spares=1", cases[i].argument,
				  cases[i].more, NULL),
			"%s", server.program.text);
		worker = server_worker(&server, 0);
		cr_assert_eq(server_ctl(&server, "scale", "2x1", output, sizeof output), 1, "%s",
			output);
		cr_assert_not_null(strstr(output, cases[i].why), "%zu: %s", i, output);
		cr_assert_eq(server_worker(&server, 0), worker);
		cr_assert_eq(server_number(&server, "processes"), 1);
		cr_assert_str_eq(greeting(NULL), "0 0 1 1 1\n");
		cr_assert_eq(server_end(&server, 20), 0);
		server_clean(&server);
	}
}

/* The new master tells the former one which hook has failed, and that one serves on. */
Test(hooks, one_that_fails_in_an_upgrade_leaves_all_as_it_was_and_ctl_says_why)
{
	static const struct {
		const char *arguments, *why;
	} cases[] = {
		{"--fails=worker_start\n",
			"worker_start of worker 0: worker_start was told to fail"},
		{"--fails=reloaded\n", "reloaded of worker 0: reloaded was told to fail"},
		{"--hang-timeout=5\n--waits=hub_start\n",
			"hub_start of worker 0 has not returned for 5 s"},
		{"--exits=hub_start\n", "worker 0 died in hub_start; the log says why"},
	};
	pid_t worker;

	changing_write("");
	cr_assert(server_start(&server, "hooked", "1", "1", BARE, argument, NULL), "%s",
		server.program.text);
	worker = server_worker(&server, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		changing_write(cases[i].arguments);
		cr_assert_eq(changing_ctl("upgrade"), 1, "%zu: %s", i, output);
		cr_assert_not_null(strstr(output, cases[i].why), "%zu: %s", i, output);
		cr_assert_null(strstr(output, "exited with code"), "%zu: %s", i, output);
		cr_assert_eq(server_worker(&server, 0), worker);
		cr_assert_str_eq(greeting(NULL), "0 0 1 1 1\n");
	}
	cr_assert_eq(server_end(&server, 20), 0);
}

/* The former master's patience is longer than the new one's with the hook. */
Test(hooks, one_that_does_not_return_in_an_upgrade_is_named_by_either_masters_hang_timeout)
{
	changing_write("--hang-timeout=5\n");
	cr_assert(server_start(&server, "hooked", "1", "1", BARE, argument, NULL), "%s",
		server.program.text);
	changing_write("--hang-timeout=5\n--waits=worker_start\n");
	cr_assert_eq(changing_ctl("upgrade"), 1, "%s", output);
	cr_assert_not_null(
		strstr(output, "worker_start of worker 0 has not returned for 5 s"), "%s", output);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* A worker that dies runs no hooks, and the worker that replaces it begins anew. */
Test(hooks, of_the_end_do_not_run_in_a_worker_that_is_killed)
{
	cr_assert(server_start(&server, "hooked", "1", "1", BARE, NULL), "%s", server.program.text);
	server_signal_worker(&server, 0, SIGKILL);
	cr_assert(program_expect(&server.program, "was killed by signal 9", 10));
	cr_assert(changing_expect("worker_start 0.0 of 1\n", 2), "%s", server.program.text);
	cr_assert_str_eq(greeting(NULL), "0 0 1 1 1\n");
	cr_assert_eq(changing_count("worker_stop"), 0);
	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert_eq(changing_count("worker_stop"), 1);
}

Test(hooks, of_the_end_that_do_not_return_do_not_outlive_the_deadline)
{
	static const char *const hooks[] = {"--waits=hub_stop", "--waits=worker_stop",
		"--waits=draining", "--hangs=hub_stop", "--hangs=worker_stop"};

	for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
		const char *name = strchr(hooks[i], '=') + 1;
		bool is_killed = strncmp(hooks[i], "--hangs", 7) == 0;
		char said[64];

		cr_assert(server_start(&server, "hooked", "1", "2", BARE, "--drain-timeout=1",
				  hooks[i], NULL),
			"%s", server.program.text);
		cr_assert_eq(server_end(&server, 20), 0, "%s", server.program.text);
		snprintf(said, sizeof said, "%s of worker 0 has not returned", name);
		if (is_killed)
			cr_assert_not_null(
				strstr(server.program.text, said), "%s", server.program.text);
		server_clean(&server);
	}
}

/* It would act for its parent, in shared memory and by shared sockets. */
Test(hooks, a_child_that_one_forks_and_that_returns_ends_alone)
{
	static const char *const forks[] = {"--forks=draining", "--forks=serve"};

	for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++) {
		int client;

		cr_assert(server_start(&server, "hooked", "1", "1", BARE, forks[i],
				  "--max-per-peer=9", "--access-log=on", NULL),
			"%s", server.program.text);
		client = client_connect(server.program.port);
		cr_assert(client_exchange(client, "", "0 0 1 1 1\n"));
		close(client);
		cr_assert(program_expect(&server.program, "connection listener=", 20));
		cr_assert_eq(server_end(&server, 20), 0, "%s", server.program.text);
		cr_expect_eq(changing_count("call _exit there"), 1, "%s", server.program.text);
		cr_expect_eq(changing_count("connection listener="), 1, "%s", server.program.text);
		cr_expect_eq(changing_count("crashed"), 0, "%s", server.program.text);
		server_clean(&server);
	}
}

static bool
has_workers(void *workers)
{
	unsigned worker, hub, generation, all = 0;

	sscanf(greeting(NULL), "%u %u %u %u", &worker, &hub, &generation, &all);
	return all == *(unsigned *)workers;
}

Test(hooks, know_how_many_workers_there_are_also_after_a_scale)
{
	cr_assert(server_start(&server, "hooked", "2", "1", BARE, NULL), "%s", server.program.text);
	cr_assert(has_workers(&(unsigned){2}));
	cr_assert_eq(server_ctl(&server, "scale", "3x1", output, sizeof output), 0, "%s", output);
	cr_assert(wait_until(has_workers, &(unsigned){3}, 10));
	cr_assert_eq(server_ctl(&server, "scale", "1x1", output, sizeof output), 0, "%s", output);
	cr_assert(wait_until(has_workers, &(unsigned){1}, 10));
	cr_assert_eq(server_end(&server, 20), 0);
}
