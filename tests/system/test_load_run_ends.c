/* How runs of hubbub-load end: at once, by servers that are not there or die, by signals, by deaths
 * of its own processes. */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/faulty.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"

static struct loader loader;
static struct program server;
static struct faulty faulty;

static void
start(void)
{
	cr_assert(program_start_echo(&server, "-p", "1", "-t", "2", NULL), "%s", server.text);
}

static void
clean(void)
{
	loader_clean(&loader);
	if (server.output > 0)
		program_end(&server);
}

TestSuite(load_run_ends, .init = start, .fini = clean, .timeout = 600);

Test(load_run_ends, runs_that_are_over_at_once_have_whole_results)
{
	cr_assert_eq(loader_run(&loader, server.port, "-d", "50ms", "--warmup=0", NULL), 0, "%s",
		loader.program.text);
	cr_assert_float_eq(loader_number(&loader, "duration_s"), 0.05, 0.001);
	cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
	loader_run(&loader, server.port, "-d", "50ms", "--warmup=0", "-R", "100", NULL);
	cr_assert_eq(
		loader_number(&loader, "latency_ns.response.count"), 5, "%s", loader.program.text);
	cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
}

Test(load_run_ends, a_server_that_is_not_there_is_named_with_the_reason)
{
	cr_assert_eq(loader_run(&loader, server_lasting_port(), "-d", "1s", NULL), 1, "%s",
		loader.program.text);
	cr_assert_str_eq(loader_verdict(&loader), "error");
	cr_assert_not_null(strstr(loader.program.text, "64 x connect: Connection refused"), "%s",
		loader.program.text);
	cr_assert_eq(loader_number(&loader, "errors.by_kind.connect.ECONNREFUSED"), 64);
	cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
}

Test(load_run_ends, a_server_that_dies_is_an_error_and_not_corruption)
{
	static char *const modes[] = {"--closed=1", "--rate=2k"};

	for (size_t i = 0; i < 2; i++) {
		cr_assert(loader_start(&loader, server.port, modes[i], "-d", "2s", "-i", "500ms",
			"--warmup=0", "-c", "8", "--timeout=500ms", NULL));
		cr_assert(loader_lasts(&loader, 0.5), "%s", loader.program.text);
		program_end(&server);
		cr_assert_eq(loader_wait(&loader, 30), 3, "%s", loader.program.text);
		cr_assert_str_eq(loader_verdict(&loader), "fail");
		cr_assert_gt(loader_number(&loader, "errors.total"), 0);
		cr_assert_eq(loader_number(&loader, "connections.alive_end"), 0);
		cr_assert_gt(loader_number(&loader, "errors.by_kind.connect.ECONNREFUSED"), 0);
		if (i == 1)
			cr_assert_leq(fabs(loader_number(&loader, "latency_ns.response.count") +
					      loader_number(&loader, "load.lost") +
					      loader_number(&loader, "load.unsent") - 4000),
				2, "%s", loader.program.text);
		/* A server that is away is not flooded with connects: 8 connections back off up to
		 * 1 s. */
		cr_assert_lt(loader_number(&loader, "errors.by_kind.connect.ECONNREFUSED"), 200);
		cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
		start();
	}
}

/* No message of a count is forgotten, and the number offered does not depend on the server. */
Test(load_run_ends, a_count_that_is_not_reached_is_an_error)
{
	static char *const modes[] = {"--closed=1", "--rate=2k"};

	for (size_t i = 0; i < 2; i++) {
		cr_assert(
			loader_start(&loader, server.port, modes[i], "-n", i == 0 ? "100M" : "3000",
				"-c", "8", "-i", "500ms", "--timeout=500ms", NULL));
		cr_assert(loader_lasts(&loader, 0.5), "%s", loader.program.text);
		program_end(&server);
		cr_assert_eq(loader_wait(&loader, 30), 3, "%s", loader.program.text);
		cr_assert_eq(loader_number(&loader, "load.messages") +
				     loader_number(&loader, "load.lost") +
				     loader_number(&loader, "load.unsent"),
			i == 0 ? 1e8 : 3000, "%s", loader.program.text);
		if (i == 1)
			cr_assert_float_eq(loader_number(&loader, "load.offered"), 2000, 1);
		start();
	}
}

Test(load_run_ends, a_connection_that_the_server_closes_is_an_error_and_replaced)
{
	faulty = (struct faulty){.kind = FAULTY_CLOSE, .size = 64, .victim = 100};
	cr_assert(faulty_start(&faulty));
	cr_assert_eq(loader_run(&loader, faulty.port, "-q", "-n", "1000", "-c", "4", NULL), 3, "%s",
		loader.program.text);
	faulty_stop(&faulty);
	cr_assert_eq(loader_number(&loader, "errors.by_kind.eof"), 1);
	cr_assert_eq(loader_number(&loader, "connections.reconnects"), 1);
	cr_assert_eq(loader_number(&loader, "load.lost"), 1);
	cr_assert_eq(loader_number(&loader, "load.messages"), 999);
	cr_assert_eq(loader_number(&loader, "connections.alive_end"), 4);
}

Test(load_run_ends, the_first_signal_gives_a_partial_report)
{
	static const int signals[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < 2; i++) {
		cr_assert(loader_start(&loader, server.port, "-d", "60s", "--warmup=0", "-i",
			"100ms", "--fail-if", "p99>1ns", NULL));
		cr_assert(loader_lasts(&loader, 0.3), "%s", loader.program.text);
		/* As Ctrl-C does, to all processes of the run. */
		killpg(loader.program.pid, signals[i]);
		cr_assert_eq(loader_wait(&loader, 20), 128 + signals[i], "%s", loader.program.text);
		cr_assert_str_eq(loader_verdict(&loader), "interrupted");
		cr_assert(json_is_true(json_object_get(loader.result, "interrupted")));
		cr_assert_eq(json_array_size(json_object_get(loader.result, "gates")), 0);
		cr_assert_gt(loader_number(&loader, "load.messages"), 0);
		cr_assert_gt(loader_number(&loader, "load.achieved"), 0);
		cr_assert_lt(loader_number(&loader, "duration_s"), 20);
		cr_assert_not_null(strstr(loader.program.text, "INTERRUPTED"));
		cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
	}
}

static bool
have_come(void *count)
{
	return __atomic_load_n(&faulty.messages, __ATOMIC_RELAXED) >= *(uint64_t *)count;
}

/* Neither a server that answers nothing nor the warm-up delays the end. */
Test(load_run_ends, an_interrupted_run_ends_within_seconds_in_every_phase)
{
	static char *const sets[][2] = {{"--warmup=60s", "--idle=0"}, {"--warmup=0", "--idle=30"}};
	uint64_t all = 30; /* 0.3 s into the second run; the first is then still in its warm-up */

	for (size_t i = 0; i < 2; i++) {
		faulty = (struct faulty){.kind = FAULTY_SILENT, .size = 64};
		cr_assert(faulty_start(&faulty));
		cr_assert(loader_start(&loader, faulty.port, "-R", "100", "-c", "4", sets[i][0],
			sets[i][1], "-d", "300ms", "--timeout=60s", NULL));
		cr_assert(wait_until(have_come, &all, 20), "%s", loader.program.text);
		kill(loader.program.pid, SIGINT);
		cr_assert_eq(loader_wait(&loader, 10), 130, "%s", loader.program.text);
		faulty_stop(&faulty);
		cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
	}
}

/* Whether no signal is pending: a second one of a kind that is still pending would be lost. */
static bool
has_taken_signals(void *pid)
{
	char path[64], line[256];
	unsigned long long pending = 1, all = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)*(pid_t *)pid);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "SigPnd: %llx", &pending) == 1 ||
			sscanf(line, "ShdPnd: %llx", &pending) == 1)
			all |= pending;
	if (file != NULL)
		fclose(file);
	return file != NULL && all == 0;
}

static bool
is_gone(void *pid)
{
	return kill(*(pid_t *)pid, 0) != 0;
}

Test(load_run_ends, the_second_signal_ends_it_at_once_and_no_process_is_left)
{
	pid_t children[8];

	faulty = (struct faulty){.kind = FAULTY_SILENT, .size = 64};
	cr_assert(faulty_start(&faulty));
	cr_assert(loader_start(&loader, faulty.port, "-d", "60s", "--warmup=0", "-i", "100ms",
		"--timeout=60s", "-p", "2", NULL));
	cr_assert(loader_lasts(&loader, 0.3), "%s", loader.program.text);
	cr_assert_eq(program_children(loader.program.pid, children, 8), 2);
	kill(loader.program.pid, SIGINT);
	cr_assert(wait_until(has_taken_signals, &loader.program.pid, 5));
	kill(loader.program.pid, SIGINT);
	cr_assert_eq(loader_wait(&loader, 5), 130, "%s", loader.program.text);
	/* The first signal alone ends the run a second later, with the same code. */
	cr_assert_not_null(
		strstr(loader.program.text, "by a second signal"), "%s", loader.program.text);
	faulty_stop(&faulty);
	for (int i = 0; i < 2; i++)
		cr_assert(wait_until(is_gone, &children[i], 5), "a generator process is left");
}

Test(load_run_ends, a_generator_process_that_dies_ends_the_run)
{
	pid_t children[8];

	cr_assert(loader_start(
		&loader, server.port, "-d", "60s", "--warmup=0", "-i", "100ms", "-p", "2", NULL));
	cr_assert(loader_lasts(&loader, 0.3), "%s", loader.program.text);
	cr_assert_eq(program_children(loader.program.pid, children, 8), 2);
	kill(children[1], SIGKILL);
	cr_assert_eq(loader_wait(&loader, 20), 1, "%s", loader.program.text);
	cr_assert_not_null(strstr(loader.program.text, "a generator process died"));
	cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
}

Test(load_run_ends, fewer_connections_than_asked_for_are_no_valid_measurement)
{
	loader.files = 100;
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-c", "100", "-p", "1", "-d", "300ms",
			     "--warmup=0", NULL),
		4, "%s", loader.program.text);
	cr_assert_lt(loader_number(&loader, "connections.opened"), 100);
	cr_assert_gt(loader_number(&loader, "errors.by_kind.connect.EMFILE"), 0);
	cr_assert_not_null(strstr(loader.program.text, "of 100 connections opened"), "%s",
		loader.program.text);
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-c", "100", "-p", "1", "-d", "300ms",
			     "--warmup=0", "--allow-partial", "--allow-errors", NULL),
		0, "%s", loader.program.text);
	loader.files = 0;
}
