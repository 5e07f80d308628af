/* Lines by streams, beside Go's bufio and gevent's makefile: all servers on one CPU, the load on
 * another. Each round measures all of them, beginning with another one. */
#include <hubbub/hub.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/server.h"
#include "tests/load/count/median.h"

#define ROUNDS 7
#define ROUNDS_MAX 101
#define SECONDS 0.5
#define CONNECTIONS 16
#define DEPTH 16
#define SIZE 32
#define IDLE 1000

#define SOURCE HUBBUB_SOURCE_DIR "/tests/bench/peers/"

static const struct line_server {
	const char *name, *package;
	char *argv[3];
} kinds[] = {
	{"hubbub", "", {"bench-lines"}},
	{"go", "golang-go", {"peer-go-lines"}},
	{"gevent", "python3-gevent", {"/usr/bin/python3", SOURCE "gevent_lines.py"}},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- a line that is buffered ---- */

enum { LINES = 2000, PASSES = 100 };

/* CPU time, since other processes may run meanwhile. */
static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *
read_lines(void *result)
{
	static char text[LINES * SIZE];
	double rounds[ROUNDS];

	memset(text, 'x', sizeof text);
	for (size_t i = 0; i < LINES; i++)
		text[(i + 1) * SIZE - 1] = '\n';
	for (int round = 0; round < ROUNDS; round++) {
		double began = cpu_seconds();

		for (int pass = 0; pass < PASSES; pass++) {
			struct hub_stream *stream = hub_stream_new_memory(text, sizeof text, NULL);

			while (hub_stream_read_line(stream, NULL) != NULL)
				continue;
			hub_stream_free(stream);
		}
		rounds[round] = (cpu_seconds() - began) * 1e9 / LINES / PASSES;
		hub_sleep(0);
	}
	*(double *)result = median(rounds, ROUNDS);
	return NULL;
}

/* ---- over loopback ---- */

static bool
start(struct bench_server *server, const struct line_server *kind)
{
	const char *program = kind->argv[0];

	server->name = kind->name;
	server->depth = DEPTH;
	if (access(strchr(program, '/') != NULL ? program : program_path(program), X_OK) == 0 &&
		bench_server_start(server, kind->argv, 0))
		return true;
	fprintf(stderr, "skipped: %s (%s is missing; tests/bench/compare --install)\n", kind->name,
		kind->package);
	return false;
}

static void
print_all(const struct bench_options *options, double cpu[][ROUNDS_MAX],
	struct bench_server *servers, const bool *serves, unsigned rounds)
{
	double ratios[ROUNDS_MAX];
	struct bench_memory memory;
	char name[64];

	for (int i = 0; i < KINDS; i++) {
		if (!serves[i])
			continue;
		snprintf(name, sizeof name, "lines_cpu_ns_%s", kinds[i].name);
		bench_print(options, name, 1e9 * median(cpu[i], rounds), "ns", "CPU per line");
		snprintf(name, sizeof name, "lines_idle_%s", kinds[i].name);
		if (bench_server_idle_memory(&servers[i], IDLE, &memory))
			bench_print(options, name, memory.first, "B",
				"memory of an idle connection, of 1000");
		if (i == 0)
			continue;
		for (unsigned round = 0; round < rounds; round++)
			ratios[round] = cpu[i][round] / cpu[0][round];
		snprintf(name, sizeof name, "lines_cpu_ratio_%s", kinds[i].name);
		bench_print(options, name, median(ratios, rounds), "x", "its CPU per line / ours");
	}
}

int
bench_lines(const struct bench_options *options)
{
	static struct bench_server servers[KINDS];
	static double cpu[KINDS][ROUNDS_MAX];
	unsigned rounds = options->rounds != 0 ? options->rounds : ROUNDS;
	double seconds = options->seconds > 0 ? options->seconds : SECONDS, buffered = 0;
	bool serves[KINDS], is_well = true;
	struct bench_sample sample = {0};

	hub_run(read_lines, &buffered, NULL);
	bench_print(options, "lines_buffered_ns", buffered, "ns", "read_line of a buffered line");
	if (rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	for (int i = 0; i < KINDS; i++)
		serves[i] = start(&servers[i], &kinds[i]);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < KINDS; i++) {
			unsigned which = (round + i) % KINDS;

			if (!serves[which])
				continue;
			is_well = bench_server_measure(
					  &servers[which], CONNECTIONS, SIZE, seconds, &sample) &&
				  is_well;
			cpu[which][round] = sample.cpu;
		}
	if (is_well)
		print_all(options, cpu, servers, serves, rounds);
	for (int i = 0; i < KINDS; i++)
		bench_server_end(&servers[i]);
	return is_well ? 0 : 1;
}
