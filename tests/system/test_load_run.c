/* hubbub-load: the shapes of load, how runs end, and what they leave behind. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static const char *
verdict(void)
{
	const char *text = json_string_value(json_object_get(loader.result, "verdict"));

	return text != NULL ? text : "(no result)";
}

/* Asserts that there is a result, and that no number in the text is NaN, which JSON cannot
 * express. */
static void
expect_no_nan(void)
{
	cr_assert_not_null(loader.result, "no result: %s", loader.program.text);
	cr_assert_null(strstr(loader.program.text, "nan"), "%s", loader.program.text);
	cr_assert_null(strstr(loader.program.text, "inf "), "%s", loader.program.text);
	cr_assert_null(strstr(loader.program.text, "inf/"), "%s", loader.program.text);
}

/* ---- shapes ---- */

Test(load_run, a_closed_loop_without_options_passes_and_adds_up)
{
	cr_assert_eq(loader_run(&loader, server.port, "-d", "1s", "--warmup=0", NULL), 0, "%s",
		loader.program.text);
	cr_assert_str_eq(verdict(), "pass");
	cr_assert_eq(loader_number(&loader, "connections.opened"), 64);
	cr_assert_eq(loader_number(&loader, "connections.alive_end"), 64);
	cr_assert_gt(loader_number(&loader, "load.messages"), 100);
	cr_assert_eq(loader_number(&loader, "errors.total"), 0);
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"),
		loader_number(&loader, "verify.checked"));
	cr_assert_eq(loader_number(&loader, "load.lost"), 0);
	cr_assert_eq(loader_number(&loader, "latency_ns.connect.count"), 64);
	expect_no_nan();
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
		expect_no_nan();
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

/* A slow reader reads messages long after they have arrived. */
Test(load_run, times_of_arrival_can_be_the_kernels)
{
	static char *const sets[] = {"--nodelay=on", "--kernel-ts"};
	double p50[2];

	for (int i = 0; i < 2; i++) {
		cr_assert_eq(loader_run(&loader, server.port, "-q", "-c", "1", "--slow=1@10k", "-s",
				     "1k", "-n", "10", sets[i], NULL),
			0, "%s", loader.program.text);
		p50[i] = loader_number(&loader, "latency_ns.response.p50");
	}
	cr_assert_gt(p50[0], 80e6, "%s", loader.program.text);
	cr_assert_lt(p50[1], 40e6, "%s", loader.program.text);
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
	expect_no_nan();
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

/* ---- ends ---- */

Test(load_run, runs_that_are_over_at_once_have_whole_results)
{
	cr_assert_eq(loader_run(&loader, server.port, "-d", "50ms", "--warmup=0", NULL), 0, "%s",
		loader.program.text);
	cr_assert_float_eq(loader_number(&loader, "duration_s"), 0.05, 0.001);
	expect_no_nan();
	loader_run(&loader, server.port, "-d", "50ms", "--warmup=0", "-R", "100", NULL);
	cr_assert_eq(
		loader_number(&loader, "latency_ns.response.count"), 5, "%s", loader.program.text);
	expect_no_nan();
}

/* Returns a port on which no process listens. */
static int
free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	getsockname(fd, (struct sockaddr *)&address, &length);
	close(fd);
	return ntohs(address.sin_port);
}

Test(load_run, a_server_that_is_not_there_is_named_with_the_reason)
{
	cr_assert_eq(
		loader_run(&loader, free_port(), "-d", "1s", NULL), 1, "%s", loader.program.text);
	cr_assert_str_eq(verdict(), "error");
	cr_assert_not_null(strstr(loader.program.text, "64 x connect: Connection refused"), "%s",
		loader.program.text);
	cr_assert_eq(loader_number(&loader, "errors.by_kind.connect.ECONNREFUSED"), 64);
	expect_no_nan();
}

Test(load_run, a_server_that_dies_is_an_error_and_not_corruption)
{
	static char *const modes[] = {"--closed=1", "--rate=2k"};

	for (size_t i = 0; i < 2; i++) {
		cr_assert(loader_start(&loader, server.port, modes[i], "-d", "2s", "-i", "500ms",
			"--warmup=0", "-c", "8", "--timeout=500ms", NULL));
		cr_assert(program_expect(&loader.program, " 0.5", 20), "%s", loader.program.text);
		program_end(&server);
		cr_assert_eq(loader_wait(&loader, 30), 3, "%s", loader.program.text);
		cr_assert_str_eq(verdict(), "fail");
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
		expect_no_nan();
		start();
	}
}

/* No message of a count is forgotten, and the number offered does not depend on the server. */
Test(load_run, a_count_that_is_not_reached_is_an_error)
{
	static char *const modes[] = {"--closed=1", "--rate=2k"};

	for (size_t i = 0; i < 2; i++) {
		cr_assert(
			loader_start(&loader, server.port, modes[i], "-n", i == 0 ? "100M" : "3000",
				"-c", "8", "-i", "500ms", "--timeout=500ms", NULL));
		cr_assert(program_expect(&loader.program, " 0.5", 20), "%s", loader.program.text);
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

Test(load_run, a_connection_that_the_server_closes_is_an_error_and_replaced)
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

Test(load_run, the_first_signal_gives_a_partial_report)
{
	static const int signals[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < 2; i++) {
		cr_assert(loader_start(&loader, server.port, "-d", "60s", "--warmup=0", "-i",
			"100ms", "--fail-if", "p99>1ns", NULL));
		cr_assert(program_expect(&loader.program, "0.3", 20), "%s", loader.program.text);
		/* As Ctrl-C does, to all processes of the run. */
		killpg(loader.program.pid, signals[i]);
		cr_assert_eq(loader_wait(&loader, 20), 128 + signals[i], "%s", loader.program.text);
		cr_assert_str_eq(verdict(), "interrupted");
		cr_assert(json_is_true(json_object_get(loader.result, "interrupted")));
		cr_assert_eq(json_array_size(json_object_get(loader.result, "gates")), 0);
		cr_assert_gt(loader_number(&loader, "load.messages"), 0);
		cr_assert_gt(loader_number(&loader, "load.achieved"), 0);
		cr_assert_lt(loader_number(&loader, "duration_s"), 20);
		cr_assert_not_null(strstr(loader.program.text, "INTERRUPTED"));
		expect_no_nan();
	}
}

static bool
have_come(void *count)
{
	return __atomic_load_n(&faulty.messages, __ATOMIC_RELAXED) >= *(uint64_t *)count;
}

/* Neither a server that answers nothing nor the warm-up delays the end. */
Test(load_run, an_interrupted_run_ends_within_seconds_in_every_phase)
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
		expect_no_nan();
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

Test(load_run, the_second_signal_ends_it_at_once_and_no_process_is_left)
{
	pid_t children[8];

	faulty = (struct faulty){.kind = FAULTY_SILENT, .size = 64};
	cr_assert(faulty_start(&faulty));
	cr_assert(loader_start(&loader, faulty.port, "-d", "60s", "--warmup=0", "-i", "100ms",
		"--timeout=60s", "-p", "2", NULL));
	cr_assert(program_expect(&loader.program, "0.3", 20), "%s", loader.program.text);
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

Test(load_run, a_generator_process_that_dies_ends_the_run)
{
	pid_t children[8];

	cr_assert(loader_start(
		&loader, server.port, "-d", "60s", "--warmup=0", "-i", "100ms", "-p", "2", NULL));
	cr_assert(program_expect(&loader.program, "0.3", 20), "%s", loader.program.text);
	cr_assert_eq(program_children(loader.program.pid, children, 8), 2);
	kill(children[1], SIGKILL);
	cr_assert_eq(loader_wait(&loader, 20), 1, "%s", loader.program.text);
	cr_assert_not_null(strstr(loader.program.text, "a generator process died"));
	expect_no_nan();
}

Test(load_run, fewer_connections_than_asked_for_are_no_valid_measurement)
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

/* ---- gates and files ---- */

Test(load_run, gates_decide_the_exit_code)
{
	cr_assert_eq(
		loader_run(&loader, server.port, "-q", "-d", "300ms", "--fail-if", "p99>1ns", NULL),
		3);
	cr_assert_not_null(
		strstr(loader.program.text, "p99>1ns BREACHED"), "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-d", "300ms", "--fail-if", "p99>1h",
			     "--fail-if", "mps<1", NULL),
		0);
	cr_assert_not_null(strstr(loader.program.text, "p99>1h ok"), "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-d", "300ms", "--fail-if", "p99>1h",
			     "--fail-if", "open<64", NULL),
		0, "%s", loader.program.text);
	/* The gates given, and the gate that every run has. */
	cr_assert_eq(json_array_size(json_object_get(loader.result, "gates")), 3);
	cr_assert_eq(loader_run(&loader, server.port, "-d", "60s", "-i", "100ms", "--warmup=0",
			     "--abort-if", "mps>1", NULL),
		3);
	cr_assert_lt(loader_number(&loader, "duration_s"), 5);
	cr_assert_not_null(
		strstr(loader.program.text, "aborted: mps>1"), "%s", loader.program.text);
}

Test(load_run, runs_are_repeated_and_told_apart)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-n", "500", "--repeat=3",
			     "--cooldown=10ms", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(json_array_size(json_object_get(loader.result, "runs")), 3);
	cr_assert_eq(loader_number(&loader, "load.messages"), 1500);
	cr_assert_eq(loader_number(&loader, "connections.asked"), 192);
	cr_assert_eq(loader_number(&loader, "connections.opened"), 192);
}

Test(load_run, the_stream_is_a_line_of_json_for_each_interval)
{
	char line[4096];
	int lines = 0;
	FILE *file;
	double before = 0;

	cr_assert_eq(loader_run(&loader, server.port, "-q", "-d", "1s", "--warmup=0", "-i", "100ms",
			     "--stream", "/dev/stdout", NULL),
		0, "%s", loader.program.text);
	file = fmemopen(loader.program.text, strlen(loader.program.text), "r");
	while (fgets(line, sizeof line, file) != NULL) {
		json_t *interval;

		if (line[0] != '{')
			continue;
		interval = json_loads(line, 0, NULL);
		cr_assert_not_null(interval, "%s", line);
		cr_assert_gt(json_number_value(json_object_get(interval, "t")), before);
		before = json_number_value(json_object_get(interval, "t"));
		json_decref(interval);
		lines++;
	}
	fclose(file);
	cr_assert_geq(lines, 7);
	cr_assert_leq(lines, 10);
	cr_assert_eq(json_array_size(json_object_get(loader.result, "series")), (size_t)lines);
}

Test(load_run, a_file_that_cannot_be_written_is_a_failure_and_named)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-n", "10", "--hdr", "/nowhere/x.hgrm",
			     NULL),
		1);
	cr_assert_not_null(strstr(loader.program.text, "/nowhere/x.hgrm"));
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-n", "10", "--hdr", "/dev/full", NULL),
		1, "%s", loader.program.text);
	cr_assert_not_null(strstr(loader.program.text, "/dev/full cannot be written"), "%s",
		loader.program.text);
}

/* Debian's python3-jsonschema judges, which is independent of this project. */
Test(load_run, results_of_every_kind_follow_the_schema)
{
	char command[512];

	for (int i = 0; i < 4; i++) {
		if (i == 0)
			loader_run(
				&loader, server.port, "-q", "-n", "100", "--fail-if=p99>1ns", NULL);
		else if (i == 1)
			loader_run(&loader, server.port, "-q", "-R", "1k", "-d", "300ms",
				"--server-stats=127.0.0.1:1", NULL);
		else if (i == 2)
			loader_run(&loader, free_port(), "-q", NULL);
		else
			loader_run(
				&loader, server.port, "-q", "--idle=3", "-c0", "-d", "100ms", NULL);
		cr_assert_not_null(loader.result, "%d: %s", i, loader.program.text);
		snprintf(command, sizeof command,
			"/usr/bin/python3 -W ignore -m jsonschema -i %s "
			"%s/tests/load/show/result.schema.json",
			loader_file(&loader, "result.json"), HUBBUB_SOURCE_DIR);
		cr_assert_eq(system(command), 0, "result %d", i);
	}
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
