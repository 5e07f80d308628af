/* hubbub-echo with one hub and the epoll peer, alternately under the same load. Both servers are
 * pinned to one core and the client to another; the one that is not measured sleeps. */
#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/server.h"
#include "tests/load/count/median.h"

#define ROUNDS 7
#define ROUNDS_MAX 101
#define SECONDS 0.5

struct ratios {
	double throughput[ROUNDS_MAX], p50[ROUNDS_MAX], p99[ROUNDS_MAX], cpu[ROUNDS_MAX];
};

static void
print_ratio(const struct bench_options *options, const char *what, const char *name, double *values,
	unsigned rounds, const char *note)
{
	char full[64];

	snprintf(full, sizeof full, "echo_%s_ratio_%s", what, name);
	bench_print(options, full, median(values, rounds), "x", note);
}

static bool
compare_servers(const struct bench_options *options, struct bench_server *ours,
	struct bench_server *peer, unsigned connections, size_t size)
{
	static struct ratios ratios;
	unsigned rounds = options->rounds != 0 ? options->rounds : ROUNDS;
	double seconds = options->seconds > 0 ? options->seconds : SECONDS;
	char name[32], note[128];
	struct bench_sample a = {0}, b = {0};

	snprintf(name, sizeof name, "%ux%zu", connections, size);
	if (options->only != NULL && strcmp(options->only, name) != 0)
		return true;
	if (rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	if (!bench_server_measure(ours, connections, size, seconds / 2, &a) ||
		!bench_server_measure(peer, connections, size, seconds / 2, &b))
		return false;
	for (unsigned i = 0; i < rounds; i++) {
		struct bench_server *first = i % 2 == 0 ? ours : peer;

		/* Who goes first alternates too. */
		if (!bench_server_measure(
			    first, connections, size, seconds, first == ours ? &a : &b) ||
			!bench_server_measure(first == ours ? peer : ours, connections, size,
				seconds, first == ours ? &b : &a))
			return false;
		ratios.throughput[i] = a.throughput / b.throughput;
		ratios.p50[i] = a.p50 / b.p50;
		ratios.p99[i] = a.p99 / b.p99;
		ratios.cpu[i] = a.cpu / b.cpu;
	}
	snprintf(note, sizeof note, "CPU per echo, ours / epoll loop (last: %.2f / %.2f us)",
		a.cpu * 1e6, b.cpu * 1e6);
	print_ratio(options, "cpu", name, ratios.cpu, rounds, note);
	snprintf(note, sizeof note, "echoes per second (last: %.0f / %.0f)", a.throughput,
		b.throughput);
	print_ratio(options, "throughput", name, ratios.throughput, rounds, note);
	print_ratio(options, "p50", name, ratios.p50, rounds, "median latency");
	print_ratio(options, "p99", name, ratios.p99, rounds, "99th percentile of latency");
	return true;
}

int
bench_echo(const struct bench_options *options)
{
	static const unsigned connections[] = {1, 100, 1000};
	static const size_t sizes[] = {64, 1024, 16384};
	static struct bench_server ours = {.name = "hubbub-echo"}, peer = {.name = "epoll"};
	char *own[] = {"hubbub-echo", "--listen=127.0.0.1:0", "--processes=1", "--threads=1",
		"--log-level=error", NULL};
	char *epoll[] = {"peer-epoll", NULL};
	bool is_well = bench_server_start(&ours, own, 0) && bench_server_start(&peer, epoll, 0);

	for (size_t i = 0; is_well && i < 9; i++)
		is_well = compare_servers(options, &ours, &peer, connections[i / 3], sizes[i % 3]);
	bench_server_end(&ours);
	bench_server_end(&peer);
	return is_well ? 0 : 1;
}
