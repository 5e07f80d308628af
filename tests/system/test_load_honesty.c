/* hubbub-load tells the truth: about the server's stalls, about every wrong byte, and about its own
 * limits. */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/faulty.h"
#include "tests/support/loader.h"
#include "tests/support/nap.h"

static struct loader loader;
static struct faulty faulty;
static struct program server;

static void
clean(void)
{
	loader_clean(&loader);
	if (server.output > 0)
		program_end(&server);
}

TestSuite(load_honesty, .fini = clean, .timeout = 600);

static bool
has_note(const char *part, const char *text)
{
	json_t *notes = json_object_get(json_object_get(loader.result, "generator"), part), *note;
	size_t i;

	json_array_foreach(
		notes, i, note) if (strstr(json_string_value(note), text) != NULL) return true;
	return false;
}

/* ---- time ---- */

/* The server pauses 1 s every 10 s: a tenth of the messages waits, evenly from 0 to 1 s, so the
 * slowest hundredth of all waits 0.9 s and more. */
Test(load_honesty, a_stall_of_the_server_is_in_the_percentiles_of_an_open_loop)
{
	double p99 = 0;

	/* The assertion is about the server's stall, and far above a lag of the generator; but a
	 * busy machine may spoil a try. */
	for (int tries = 0; tries < 5 && fabs(p99 - 0.9e9) > 0.9e9 * 0.02; tries++) {
		faulty =
			(struct faulty){.kind = FAULTY_STALL, .size = 64, .period = 10, .pause = 1};
		cr_assert(faulty_start(&faulty));
		loader_run(&loader, faulty.port, "-q", "-R", "1k", "-d", "20s", "--warmup=0", "-c",
			"16", "--max-lag=500ms", NULL);
		faulty_stop(&faulty);
		p99 = loader_number(&loader, "latency_ns.response.p99");
	}
	cr_assert_float_eq(p99, 0.9e9, 0.9e9 * 0.02, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 20000, "%s",
		loader.program.text);
	cr_assert_eq(loader_number(&loader, "exit_code"), 0, "%s", loader.program.text);
}

/* The same server, in a closed loop: each connection waits once per stall, and then goes on as
 * before. */
Test(load_honesty, a_closed_loop_carries_the_warning_that_it_under_counts)
{
	faulty = (struct faulty){.kind = FAULTY_STALL, .size = 64, .period = 2, .pause = 0.5};
	cr_assert(faulty_start(&faulty));
	cr_assert_eq(
		loader_run(&loader, faulty.port, "-q", "-d", "4s", "--warmup=0", "-c", "16", NULL),
		0);
	faulty_stop(&faulty);
	cr_assert_lt(loader_number(&loader, "latency_ns.response.p99"), 0.3e9);
	cr_assert_gt(loader_number(&loader, "latency_ns.response.max"), 0.3e9);
	cr_assert(has_note("notes", "stalls are under-counted"), "%s", loader.program.text);
	cr_assert(has_note("notes", "-R "), "%s", loader.program.text);
}

Test(load_honesty, what_is_offered_is_achieved_to_a_thousandth)
{
	static char *const rates[] = {"100", "1k", "5k", "20k"};

	cr_assert(program_start_echo(&server, "-p", "1", "-t", "1", NULL));
	for (size_t i = 0; i < (program_is_sanitized() ? 2 : sizeof rates / sizeof rates[0]); i++) {
		double ratio = 0;

		/* A busy machine may spoil a try. */
		for (int tries = 0; tries < 10 && fabs(ratio - 1) > 0.001; tries++) {
			loader_run(&loader, server.port, "-q", "-R", rates[i], "-d", "3s", NULL);
			ratio = loader_number(&loader, "load.ratio");
		}
		cr_assert_float_eq(
			ratio, 1, 0.001, "%s: %f\n%s", rates[i], ratio, loader.program.text);
	}
}

static int
order(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Arrivals as the server sees them, over a real socket. */
Test(load_honesty, poisson_arrivals_pass_a_kolmogorov_smirnov_test)
{
	enum { COUNT = 2500 };
	/* A busy machine delays some arrivals, which counts the less the fewer there are in a
	 * second; a wrong plan fails each time. */
	static const double rates[] = {500, 500, 200, 100, 50, 25};
	static double gaps[COUNT];
	double greatest = 1, limit = 1.95 / sqrt(COUNT);
	char seed[24], option[24];

	for (int tries = 0; tries < 6 && greatest > limit; tries++) {
		double rate = rates[tries];

		snprintf(seed, sizeof seed, "--seed=%d", tries);
		snprintf(option, sizeof option, "--rate=%.0f", rate);
		faulty = (struct faulty){.kind = FAULTY_NONE, .size = 64};
		cr_assert(faulty_start(&faulty));
		loader_run(&loader, faulty.port, "-q", option, "--arrivals=poisson", "-n", "2600",
			"-c", "4", seed, NULL);
		faulty_stop(&faulty);
		cr_assert_gt(faulty.messages, COUNT, "%s", loader.program.text);
		for (int i = 0; i < COUNT; i++)
			gaps[i] = (double)(faulty.times[i + 1] - faulty.times[i]) / 1e9 * rate;
		qsort(gaps, COUNT, sizeof gaps[0], order);
		greatest = 0;
		for (int i = 0; i < COUNT; i++)
			greatest = fmax(greatest, fabs((i + 0.5) / COUNT - (1 - exp(-gaps[i]))));
	}
	cr_assert_lt(greatest, limit);
}

/* Stops the generator, once half a second of the load has passed. */
static void
stop_for(double seconds)
{
	cr_assert(loader_lasts(&loader, 0.5), "%s", loader.program.text);
	killpg(loader.program.pid, SIGSTOP);
	nap(seconds);
	killpg(loader.program.pid, SIGCONT);
}

Test(load_honesty, a_generator_that_was_stopped_calls_its_run_invalid)
{
	cr_assert(program_start_echo(&server, NULL));
	cr_assert(loader_start(&loader, server.port, "-R", "1k", "-d", "3s", "--warmup=0", "-i",
		"500ms", "--max-lag=10%", NULL));
	stop_for(0.5);
	cr_assert_eq(loader_wait(&loader, 30), 4, "%s", loader.program.text);
	cr_assert_str_eq(json_string_value(json_object_get(loader.result, "verdict")), "invalid");
	cr_assert(has_note("reasons", "did not run for"), "%s", loader.program.text);
	cr_assert_not_null(strstr(loader.program.text, "INVALID"));
	/* In a closed loop no message is late while the generator stands, but none is measured
	 * either. */
	cr_assert(loader_start(&loader, server.port, "-d", "3s", "-i", "500ms", "--warmup=0",
		"--max-lag=10%", NULL));
	stop_for(0.5);
	cr_assert_eq(loader_wait(&loader, 30), 4, "%s", loader.program.text);
	cr_assert(has_note("reasons", "did not run for"), "%s", loader.program.text);
}

Test(load_honesty, what_was_due_before_the_end_is_sent_by_a_generator_that_comes_back_after_it)
{
	cr_assert(program_start_echo(&server, NULL));
	cr_assert(loader_start(&loader, server.port, "-R", "200", "--arrivals=uniform", "-d", "1s",
		"--warmup=0", "-i", "500ms", "--max-lag=10%", NULL));
	stop_for(0.8);
	cr_assert_eq(loader_wait(&loader, 30), 4, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 200, "%s",
		loader.program.text);
	cr_assert_eq(loader_number(&loader, "load.unsent"), 0);
}

Test(load_honesty, messages_that_go_out_late_make_the_run_invalid)
{
	cr_assert(program_start_echo(&server, NULL));
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-R", "2k", "-d", "1s", "--max-lag=1ns",
			     NULL),
		4);
	cr_assert(has_note("reasons", "messages went out late"), "%s", loader.program.text);
	/* A plan whose rate is far too high. */
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-R", "50M", "-d", "500ms",
			     "--timeout=1s", "--max-lag=1h", "--allow-errors", NULL),
		4, "%s", loader.program.text);
	cr_assert(has_note("reasons", "came due in time"), "%s", loader.program.text);
	/* A count that an even plan reaches in 0.1 s is such a plan, too. */
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-R", "50M", "-n", "5M", "--timeout=1s",
			     "--max-lag=1h", "--allow-errors", NULL),
		4, "%s", loader.program.text);
	cr_assert(has_note("reasons", "came due in time"), "%s", loader.program.text);
}

/* ---- bytes ---- */

static void
expect_fault(
	enum faulty_kind kind, char *size, char *depth, const char *counter, const char *phrase)
{
	json_t *verify;
	const char *first;

	faulty = (struct faulty){.kind = kind, .size = (size_t)atoi(size), .victim = 300};
	cr_assert(faulty_start(&faulty));
	cr_assert_eq(loader_run(&loader, faulty.port, "-q", "-d", "1s", "--warmup=0", "-c", "4",
			     "-s", size, depth, "--timeout=300ms", "--allow-errors", NULL),
		5, "%s: %s", counter, loader.program.text);
	faulty_stop(&faulty);
	verify = json_object_get(loader.result, "verify");
	cr_assert_geq(json_integer_value(json_object_get(verify, counter)), 1, "%s: %s", counter,
		loader.program.text);
	first = json_string_value(json_object_get(verify, "first"));
	cr_assert_not_null(first);
	cr_assert_not_null(strstr(first, phrase), "%s: %s", counter, first);
	cr_assert_str_eq(json_string_value(json_object_get(loader.result, "verdict")), "corrupt");
	cr_assert_not_null(strstr(loader.program.text, "CORRUPT"));
	loader_clean(&loader);
}

Test(load_honesty, every_kind_of_wrong_reply_is_found_and_named)
{
	expect_fault(
		FAULTY_FLIP, "64", "--closed=1", "corrupt", "offset 32 of 64 bytes: expected ");
	expect_fault(FAULTY_FLIP, "1000", "--closed=4", "corrupt", "offset 500 of 1000 bytes");
	/* offset 3 is the first byte that differs: bytes after the gap may equal the lost ones. */
	expect_fault(FAULTY_DROP, "64", "--closed=4", "truncated", "offset 3");
	expect_fault(FAULTY_ADD, "64", "--closed=1", "extra", "");
	expect_fault(FAULTY_ADD, "64", "--closed=4", "extra", "");
	expect_fault(FAULTY_SWAP, "64", "--closed=1", "crossed", "of connection 0.");
	expect_fault(FAULTY_REORDER, "64", "--closed=8", "reordered", "got message ");
	expect_fault(FAULTY_DUPLICATE, "64", "--closed=4", "duplicate", "");
	expect_fault(FAULTY_FLIP, "16", "--closed=1", "corrupt", "offset 8 of 16 bytes");
}

/* With one message under way nothing follows the gap: the reply stays short, and then the server
 * ends gracefully. */
Test(load_honesty, a_reply_that_stays_short_is_truncated_and_a_late_one_is_not)
{
	expect_fault(FAULTY_DROP, "64", "--closed=1", "truncated", "");
	faulty = (struct faulty){.kind = FAULTY_SILENT, .size = 64};
	cr_assert(faulty_start(&faulty));
	/* At its end the connections are open, long after the timeout and before the next one. */
	cr_assert_eq(loader_run(&loader, faulty.port, "-q", "-d", "3s", "--warmup=0", "-c", "4",
			     "--timeout=2s", NULL),
		3, "%s", loader.program.text);
	faulty_stop(&faulty);
	cr_assert(has_note("notes", "nothing was answered"), "%s", loader.program.text);
	cr_assert_geq(loader_number(&loader, "errors.by_kind.timeout"), 4);
	cr_assert_eq(loader_number(&loader, "verify.truncated"), 0);
}

/* However late the generator sent, the fault was the server's. */
Test(load_honesty, a_server_that_dies_is_not_hidden_by_an_invalid_measurement)
{
	cr_assert(program_start_echo(&server, NULL));
	cr_assert(loader_start(&loader, server.port, "-R", "1k", "-d", "3s", "--warmup=0", "-i",
		"500ms", "--max-lag=1ns", NULL));
	cr_assert(loader_lasts(&loader, 0.5), "%s", loader.program.text);
	program_end(&server);
	server.output = 0;
	cr_assert_eq(loader_wait(&loader, 60), 3, "%s", loader.program.text);
	cr_assert(has_note("reasons", "messages went out late"), "%s", loader.program.text);
	cr_assert(has_note("notes", "0 of 64 alive at the end"), "%s", loader.program.text);
	cr_assert_not_null(
		strstr(loader.program.text, "the server died"), "%s", loader.program.text);
}

/* Runs hubbub-load without a result in JSON. Returns the exit code. */
static int
try(char *first, char *second, int port)
{
	char target[32], *argv[] = {program_path("hubbub-load"), first, second, "-c1", "-d300ms",
				 "--timeout=100ms", target, NULL};

	snprintf(target, sizeof target, "127.0.0.1:%d", port);
	if (server.output > 0)
		program_end(&server);
	cr_assert(program_start(&server, argv, 0));
	return program_wait(&server, 30);
}

Test(load_honesty, what_a_server_seems_to_lack_is_asked_for)
{
	faulty = (struct faulty){.kind = FAULTY_SILENT, .size = 64};
	cr_assert(faulty_start(&faulty));
	try("--warmup=0", "--allow-errors", faulty.port);
	faulty_stop(&faulty);
	cr_assert_not_null(strstr(server.text, "--reply line; or does it speak TLS (--tls)?"), "%s",
		server.text);
	faulty = (struct faulty){.kind = FAULTY_NONE, .size = 64};
	cr_assert(faulty_start(&faulty));
	try("run", "--tls", faulty.port);
	cr_assert_not_null(strstr(server.text, "does it speak TLS?"), "%s", server.text);
	cr_assert_eq(try("check", "--tls", faulty.port), 1, "%s", server.text);
	faulty_stop(&faulty);
	cr_assert_not_null(strstr(server.text, "does it speak TLS?"), "%s", server.text);
}

Test(load_honesty, verifying_nothing_finds_nothing_and_says_so)
{
	faulty = (struct faulty){.kind = FAULTY_FLIP, .size = 64, .victim = 300};
	cr_assert(faulty_start(&faulty));
	cr_assert_eq(loader_run(&loader, faulty.port, "-q", "-d", "500ms", "--warmup=0", "-c", "4",
			     "--verify=none", NULL),
		0, "%s", loader.program.text);
	faulty_stop(&faulty);
	cr_assert(has_note("notes", "not verified"));
}
