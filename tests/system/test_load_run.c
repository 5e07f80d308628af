/* hubbub-load against a server that is well: the shapes of load, up to very many connections. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/faulty.h"
#include "tests/support/loader.h"

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

TestSuite(load_run, .init = start, .fini = clean, .timeout = 600);

Test(load_run, a_closed_loop_without_options_passes_and_adds_up)
{
	cr_assert_eq(loader_run(&loader, server.port, "-d", "1s", "--warmup=0", NULL), 0, "%s",
		loader.program.text);
	cr_assert_str_eq(loader_verdict(&loader), "pass");
	cr_assert_eq(loader_number(&loader, "connections.opened"), 64);
	cr_assert_eq(loader_number(&loader, "connections.alive_end"), 64);
	cr_assert_gt(loader_number(&loader, "load.messages"), 100);
	cr_assert_eq(loader_number(&loader, "errors.total"), 0);
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"),
		loader_number(&loader, "verify.checked"));
	cr_assert_eq(loader_number(&loader, "load.lost"), 0);
	cr_assert_eq(loader_number(&loader, "latency_ns.connect.count"), 64);
	cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
}

Test(load_run, every_planned_message_of_an_open_loop_is_sent_and_answered)
{
	static char *const shapes[][3] = {{"2k", "--arrivals=uniform", "2000"},
		{"500..1500", "--arrivals=uniform", "1000"},
		{"500:2000/500@250ms", "--arrivals=uniform", "1250"},
		{"2k", "--arrivals=burst:100", "2000"}, {"0..1000", "--arrivals=uniform", "500"}};

	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		loader_run(&loader, server.port, "-q", "-R", shapes[i][0], shapes[i][1], "-d", "1s",
			"--warmup=200ms", NULL);
		cr_assert_float_eq(loader_number(&loader, "latency_ns.response.count"),
			atof(shapes[i][2]), 2, "%s %s: %s", shapes[i][0], shapes[i][1],
			loader.program.text);
		cr_assert_eq(loader_number(&loader, "load.lost"), 0);
		cr_assert_eq(loader_number(&loader, "load.unsent"), 0);
		cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
	}
}

Test(load_run, a_count_of_messages_is_exact)
{
	cr_assert_eq(
		loader_run(&loader, server.port, "-q", "-n", "1234", "-c", "10", "-t", "2", NULL),
		0);
	cr_assert_eq(loader_number(&loader, "load.messages"), 1234);
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 1234);
	cr_assert_eq(
		loader_run(&loader, server.port, "-q", "-n", "321", "-R", "5k", "-c", "10", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 321);
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-n", "1", "-c", "1", NULL), 0);
	cr_assert_eq(loader_number(&loader, "load.messages"), 1);
}

Test(load_run, sizes_framings_and_depths_are_all_verified)
{
	static char *const sets[][4] = {{"1", "--closed=1", "--framing=raw", "-c4"},
		{"16-4096", "--closed=8", "--framing=raw", "-c4"},
		{"exp:512", "--closed=3", "--framing=raw", "-c4"},
		{"1Mi", "--closed=2", "--framing=raw", "-c2"},
		{"64:9,4Ki:1", "--closed=100", "--framing=raw", "-c4"},
		{"100", "--closed=4", "--framing=line", "-c4"},
		{"24", "--closed=4", "--framing=line", "-c4"},
		{"1000", "--closed=4", "--framing=len32", "-c4"},
		/* In this length a byte is a lower-case letter, which an upper-casing server would
		 * change. */
		{"101", "--closed=4", "--framing=len32", "-c4"},
		{"64", "--closed=5000", "--framing=raw", "-c2"}};

	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		cr_assert_eq(loader_run(&loader, server.port, "-q", "-s", sets[i][0], sets[i][1],
				     sets[i][2], sets[i][3], "-d", "300ms", "--warmup=0", NULL),
			0, "%s %s: %s", sets[i][0], sets[i][2], loader.program.text);
		cr_assert_gt(loader_number(&loader, "verify.checked"), 3, "%s", sets[i][0]);
		cr_assert_eq(loader_number(&loader, "load.lost"), 0, "%s", sets[i][0]);
	}
}

/* A slow reader reads messages long after they have arrived: their median latency. */
static double
median_to_slow(const char *option)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-c", "1", "--slow=1@10k", "-s", "1k",
			     "-n", "10", option, NULL),
		0, "%s", loader.program.text);
	return loader_number(&loader, "latency_ns.response.p50");
}

Test(load_run, times_of_arrival_can_be_the_kernels)
{
	cr_assert_gt(median_to_slow("--nodelay=on"), 80e6, "%s", loader.program.text);
	cr_assert_lt(median_to_slow("--kernel-ts"), 40e6, "%s", loader.program.text);
}

Test(load_run, churn_makes_a_new_connection_for_so_many_messages)
{
	static char *const closes[] = {"--close=fin", "--close=rst", "--close=half"};

	for (size_t i = 0; i < 3; i++) {
		double messages, reconnects;

		cr_assert_eq(loader_run(&loader, server.port, "-q", "-n", "2000", "--churn=5", "-c",
				     "8", closes[i], NULL),
			0, "%s: %s", closes[i], loader.program.text);
		messages = loader_number(&loader, "load.messages");
		reconnects = loader_number(&loader, "connections.reconnects");
		cr_assert_eq(messages, 2000);
		cr_assert_geq(reconnects, 2000 / 5 - 8);
		cr_assert_leq(reconnects, 2000 / 5);
	}
	/* In an open loop, messages that fall due meanwhile wait for the new connection. */
	loader_run(&loader, server.port, "-q", "-R", "2k", "--churn=10", "-d", "1s", "--warmup=0",
		"-c", "8", NULL);
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 2000, "%s",
		loader.program.text);
	cr_assert_geq(loader_number(&loader, "connections.reconnects"), 180);
}

Test(load_run, connections_alone_can_be_the_load)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "--churn=0", "--close=rst", "-c", "4",
			     "-d", "500ms", "--warmup=0", NULL),
		0, "%s", loader.program.text);
	cr_assert_gt(loader_number(&loader, "latency_ns.connect.count"), 20);
	loader_run(&loader, server.port, "-q", "--churn=0", "--close=rst", "-c", "4", "-d", "1s",
		"-R", "200", "--warmup=0", NULL);
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 200, "%s",
		loader.program.text);
	/* And one connect for each slot at the beginning, which shows whether the server is
	 * there. */
	cr_assert_eq(loader_number(&loader, "latency_ns.connect.count"), 204);
}

Test(load_run, a_lifetime_replaces_connections_with_nothing_lost)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "--lifetime=100ms", "-c", "8", "-d",
			     "1s", "--warmup=0", NULL),
		0, "%s", loader.program.text);
	cr_assert_geq(loader_number(&loader, "connections.reconnects"), 8 * 4);
	cr_assert_eq(loader_number(&loader, "load.lost"), 0);
}

Test(load_run, idle_connections_are_held_and_each_is_probed)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "--idle=500", "-c", "2", "-d", "500ms",
			     NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "connections.idle_opened"), 500);
	cr_assert_eq(loader_number(&loader, "connections.idle_alive_end"), 500);
	/* Idle connections that the server has closed meanwhile are reported. */
	program_end(&server);
	cr_assert(program_start_echo(&server, "-p", "1", "--idle-timeout=0.3", NULL));
	cr_assert_eq(
		loader_run(&loader, server.port, "-q", "--idle=20", "-c", "2", "-d", "1s", NULL), 3,
		"%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "connections.idle_alive_end"), 0);
}

/* The server ends each connection 0.3 s after its last message: those that are only held end, are
 * opened again, and answer the probe. */
Test(load_run, idle_connections_that_end_are_opened_again)
{
	program_end(&server);
	cr_assert(program_start_echo(&server, "-p", "1", "--idle-timeout=0.3", NULL));
	loader_run(&loader, server.port, "-q", "--idle=400", "--redial", "-c", "2", "-d", "6s",
		"--allow-errors", NULL);
	cr_assert_eq(loader_number(&loader, "exit_code"), 0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "connections.idle_alive_end"), 400);
	cr_assert_geq(loader_number(&loader, "connections.idle_reconnects"), 400);
	/* Those that the probe opens again, it has not seen end before. */
	cr_assert_eq(loader_number(&loader, "errors.by_kind.eof"),
		loader_number(&loader, "connections.idle_reconnects"));
	cr_assert_eq(loader_number(&loader, "errors.by_kind.idle"), 0);
}

static bool
have_all_ended(void *context)
{
	unsigned lines = 0;

	(void)context;
	program_expect(&server, "no such line", 0.05);
	for (const char *at = server.text; (at = strstr(at, " connection ")) != NULL; at++)
		lines++;
	return lines == 20;
}

/* By chance one of 20 connections has no more than the probe's 64 bytes of 2000 messages in one of
 * 10^43 runs. */
Test(load_run, messages_that_roam_come_over_all_connections)
{
	program_end(&server);
	cr_assert(program_start_echo(&server, "-p", "1", "-t", "1", "--access-log=on", NULL));
	cr_assert_eq(loader_run(&loader, server.port, "-q", "--idle=18", "--roam=1", "-c", "2",
			     "-n", "2000", "-R", "2k", NULL),
		0, "%s", loader.program.text);
	/* Of load.messages a late reply is none: it comes after the window of an open loop. */
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 2000);
	cr_assert_eq(loader_number(&loader, "verify.checked"), 2000 + 18);
	cr_assert_eq(loader_number(&loader, "connections.reconnects"), 0);
	cr_assert_eq(loader_number(&loader, "connections.idle_alive_end"), 18);
	cr_assert(wait_until(have_all_ended, NULL, 30), "%s", server.text);
	cr_assert_null(strstr(server.text, " received=64 "), "%s", server.text);
}

/* 16 messages of 1 kB on each connection take 0.8 s at 20 kB/s, longer than the timeout; but bytes
 * keep trickling in. */
Test(load_run, slow_readers_are_slow_and_not_called_late)
{
	loader_run(&loader, server.port, "-q", "--slow=4@20k", "-c", "4", "-s", "1k", "--closed=16",
		"-d", "2s", "--warmup=0", "--timeout=300ms", "--allow-errors", NULL);
	cr_assert_leq(loader_number(&loader, "load.messages"), 200, "%s", loader.program.text);
	cr_assert_geq(loader_number(&loader, "load.messages"), 40, "%s", loader.program.text);
	cr_assert_gt(loader_number(&loader, "latency_ns.service.p50"), 0.3e9);
	cr_assert_eq(
		loader_number(&loader, "connections.reconnects"), 0, "%s", loader.program.text);
}

Test(load_run, what_is_beyond_the_limit_in_flight_is_shed_or_queued_and_counted)
{
	faulty = (struct faulty){.kind = FAULTY_SILENT, .size = 64};
	cr_assert(faulty_start(&faulty));
	loader_run(&loader, faulty.port, "-q", "-R", "1k", "-c", "2", "--max-inflight=10",
		"--overload=shed", "-d", "500ms", "--warmup=0", "--timeout=5s", "--allow-errors",
		NULL);
	faulty_stop(&faulty);
	cr_assert_eq(loader_number(&loader, "load.shed"), 480, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "load.lost"), 20, "%s", loader.program.text);
	cr_assert(faulty_start(&faulty));
	loader_run(&loader, faulty.port, "-q", "-R", "1k", "-c", "2", "--max-inflight=10", "-d",
		"500ms", "--warmup=0", "--timeout=5s", "--deadline=100ms", "--allow-errors", NULL);
	faulty_stop(&faulty);
	/* Every planned message is counted somewhere. */
	cr_assert_eq(loader_number(&loader, "load.lost") + loader_number(&loader, "load.expired") +
			     loader_number(&loader, "load.unsent"),
		500, "%s", loader.program.text);
	cr_assert(loader_is_finite(&loader), "%s", loader.program.text);
}

Test(load_run, several_processes_threads_and_addresses_share_one_load)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-p", "3", "-t", "2", "-c", "60", "-n",
			     "6000", "--source=127.0.0.2-127.0.0.5", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "load.messages"), 6000);
	cr_assert_eq(loader_number(&loader, "connections.opened"), 60);
	cr_assert_eq(json_array_size(json_object_get(
			     json_object_get(loader.result, "generator"), "cpu_pct")),
		6);
}

/* ---- very many ---- */

/* On both sides each process may open only so many files, and each pair of addresses has only so
 * many ports: the generator finds out by itself how many processes and addresses it needs. */
Test(load_run, a_hundred_thousand_connections_are_held_and_each_is_probed)
{
	struct rlimit files;
	char processes[32];

	if (program_is_sanitized())
		cr_skip_test("a sanitizer needs too much memory for each");
	getrlimit(RLIMIT_NOFILE, &files);
	snprintf(processes, sizeof processes, "%lu",
		100000 / ((unsigned long)files.rlim_max - 500) + 1);
	program_end(&server);
	cr_assert(program_start_echo(&server, "-p", processes, "-t", "1", NULL), "%s", server.text);
	cr_assert_eq(loader_run(&loader, server.port, "-c", "10", "-R", "100", "-d", "1s",
			     "--idle=100k", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "connections.idle_opened"), 100000);
	cr_assert_eq(loader_number(&loader, "connections.idle_alive_end"), 100000);
	cr_assert_eq(loader_number(&loader, "errors.total"), 0);
}
