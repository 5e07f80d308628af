/* hubbub-echo with one hub and the epoll peer, alternately under the same load. Both servers are
 * pinned to one core and the client to another; the one that is not measured sleeps. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/support/load.h"
#include "tests/support/program.h"

#define ROUNDS 7
#define ROUNDS_MAX 101
#define SECONDS 0.5
#define SERVER_CPU 0
#define CLIENT_CPU 1

struct server {
	struct program program;
	pid_t serving; /* the process that does the work */
};

struct sample {
	double throughput; /* exchanges a second */
	double p50;
	double p99;
	double cpu; /* server CPU seconds per exchange */
};

static void
pin(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(pid, sizeof set, &set) != 0)
		perror("sched_setaffinity");
}

static double
cpu_seconds(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static bool
start_hubbub(struct server *server)
{
	/* The affinity is inherited by the workers that the master forks. */
	pin(0, SERVER_CPU);
	if (!program_start_echo(
		    &server->program, "--processes=1", "--threads=1", "--log-level=error", NULL)) {
		fprintf(stderr, "hubbub-bench: hubbub-echo does not start: %s\n",
			server->program.text);
		return false;
	}
	return program_children(server->program.pid, &server->serving, 1) == 1;
}

static bool
start_peer(struct server *server)
{
	char *argv[] = {program_path("peer-epoll"), NULL};

	pin(0, SERVER_CPU);
	if (!program_start(&server->program, argv, 0) ||
		!program_expect(&server->program, "ready: ", 5) ||
		sscanf(strstr(server->program.text, "ready: "), "ready: 127.0.0.1:%d",
			&server->program.port) != 1) {
		fprintf(stderr, "hubbub-bench: the epoll peer does not start\n");
		return false;
	}
	server->serving = server->program.pid;
	return true;
}

static struct sample
measure(const struct server *server, unsigned connections, size_t size, double seconds)
{
	struct load load = {.port = server->program.port,
		.connections = connections,
		.size = size,
		.seconds = seconds};
	struct load_result result;
	double before = cpu_seconds(server->serving);

	if (!load_run(&load, &result) || result.wrong + result.broken + result.refused > 0)
		fprintf(stderr, "hubbub-bench: %lu wrong, %lu broken, %lu refused\n",
			(unsigned long)result.wrong, (unsigned long)result.broken,
			(unsigned long)result.refused);
	return (struct sample){(double)result.exchanges / result.seconds, result.p50, result.p99,
		(cpu_seconds(server->serving) - before) / (double)result.exchanges};
}

struct ratios {
	double throughput[ROUNDS_MAX], p50[ROUNDS_MAX], p99[ROUNDS_MAX], cpu[ROUNDS_MAX];
};

static void
print_ratio(const struct bench_options *options, const char *what, const char *name, double *values,
	unsigned rounds, const char *note)
{
	char full[64];

	snprintf(full, sizeof full, "echo_%s_ratio_%s", what, name);
	bench_print(options, full, bench_median(values, rounds), "x", note);
}

static void
compare_servers(const struct bench_options *options, const struct server *ours,
	const struct server *peer, unsigned connections, size_t size)
{
	static struct ratios ratios;
	unsigned rounds = options->rounds != 0 ? options->rounds : ROUNDS;
	double seconds = options->seconds > 0 ? options->seconds : SECONDS;
	char name[32], note[128];
	struct sample a = {0}, b = {0};

	snprintf(name, sizeof name, "%ux%zu", connections, size);
	if (options->only != NULL && strcmp(options->only, name) != 0)
		return;
	if (rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	measure(ours, connections, size, seconds / 2);
	measure(peer, connections, size, seconds / 2);
	for (unsigned i = 0; i < rounds; i++) {
		/* Who goes first alternates too. */
		if (i % 2 == 0)
			a = measure(ours, connections, size, seconds);
		b = measure(peer, connections, size, seconds);
		if (i % 2 == 1)
			a = measure(ours, connections, size, seconds);
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
}

int
bench_echo(const struct bench_options *options)
{
	static const unsigned connections[] = {1, 100, 1000};
	static const size_t sizes[] = {64, 1024, 16384};
	static struct server ours, peer;
	int code = 1;

	if (start_hubbub(&ours) && start_peer(&peer)) {
		pin(0, CLIENT_CPU);
		for (size_t i = 0; i < 3; i++)
			for (size_t j = 0; j < 3; j++)
				compare_servers(options, &ours, &peer, connections[i], sizes[j]);
		code = 0;
	}
	program_end(&ours.program);
	program_end(&peer.program);
	return code;
}
