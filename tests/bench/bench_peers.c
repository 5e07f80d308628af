/* The same echo in everyone else's framework: all servers run on one CPU, the load on another; the
 * one that is measured is awake, the others sleep. Rounds go through all of them in turn, so what
 * else the machine does meets them all. */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/server.h"
#include "tests/load/count/median.h"
#include "tests/load/show/json.h"
#include "tests/load/show/plot.h"

#define PEERS_MAX 16
#define CELLS_MAX 8
#define ROUNDS 5
#define ROUNDS_MAX 31
#define SECONDS 1
#define IDLE 1000

#define SOURCE HUBBUB_SOURCE_DIR "/tests/bench/peers/"

/* Where each is from, for who misses it. */
static const struct peer_kind {
	const char *name;
	const char *package;
	char *argv[6];
	bool chooses_port; /* no: it is told one, in PEER_ADDRESS */
} kinds[] = {
	{"hubbub", "",
		{"hubbub-echo", "--listen=127.0.0.1:0", "--processes=1", "--threads=1",
			"--log-level=error"},
		true},
	{"epoll, by hand", "", {"peer-epoll"}, true},
	{"io_uring", "liburing-dev", {"peer-uring"}, true},
	{"a hub on io_uring", "liburing-dev", {"bench-ring"}, true},
	{"a hub on io_uring, lent", "liburing-dev", {"bench-ring", "lend"}, true},
	{"libevent", "libevent-dev", {"peer-libevent"}, true},
	{"libuv", "libuv1-dev", {"peer-libuv"}, true},
	{"Boost.Asio", "libboost-dev", {"peer-asio"}, true},
	{"Go", "golang-go", {"peer-go-echo"}, true},
	{"tokio", "librust-tokio-dev", {"peer-tokio"}, true},
	{"node", "nodejs", {"/usr/bin/node", SOURCE "echo.js"}, true},
	{"gevent", "python3-gevent", {"/usr/bin/python3", SOURCE "gevent_echo.py"}, true},
	{"gevent, 2 pre-forked", "python3-gevent",
		{"/usr/bin/python3", SOURCE "gevent_echo.py", "2"}, true},
	{"HAProxy with Lua", "haproxy", {"/usr/sbin/haproxy", "-db", "-f", SOURCE "haproxy.cfg"},
		false},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* One number of connections and size; size 0: connects. */
static const struct cell {
	unsigned connections;
	size_t size;
} cells[] = {{1, 64}, {100, 64}, {100, 1024}, {100, 8192}, {1000, 64}, {50, 0}};

#define CELLS (sizeof cells / sizeof cells[0])

struct peer {
	struct bench_server server;
	bool is_well;
	struct bench_sample samples[CELLS][ROUNDS_MAX];
	struct bench_memory idle;
};

struct comparison {
	const struct bench_options *options;
	struct peer peers[KINDS];
	unsigned rounds;
	double seconds;
	unsigned epoll; /* the peer that ratios are to */
};

/* ---- measuring ---- */

static int
free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
		getsockname(fd, (struct sockaddr *)&address, &length) == 0)
		port = ntohs(address.sin_port);
	close(fd);
	return port;
}

static bool
is_installed(const struct peer_kind *kind)
{
	const char *program = kind->argv[0];

	return access(strchr(program, '/') != NULL ? program : program_path(program), X_OK) == 0;
}

static void
start_peer(struct comparison *comparison, unsigned index)
{
	const struct peer_kind *kind = &kinds[index];
	struct peer *peer = &comparison->peers[index];
	char address[32];
	int port = 0;

	peer->server.name = kind->name;
	if (comparison->options->only != NULL && strcmp(kind->name, "hubbub") != 0 &&
		index != comparison->epoll && strstr(kind->name, comparison->options->only) == NULL)
		return;
	if (!is_installed(kind)) {
		fprintf(stderr, "skipped: %s (%s is missing; tests/bench/compare --install)\n",
			kind->name, kind->package);
		return;
	}
	if (!kind->chooses_port) {
		port = free_port();
		snprintf(address, sizeof address, "127.0.0.1:%d", port);
		setenv("PEER_ADDRESS", address, 1);
		setenv("PEER_LUA", SOURCE "haproxy.lua", 1);
	}
	peer->is_well = bench_server_start(&peer->server, kind->argv, port);
	if (!peer->is_well)
		fprintf(stderr, "skipped: %s\n", kind->name);
}

static void
measure_cell(struct comparison *comparison, size_t cell, unsigned round)
{
	for (unsigned k = 0; k < KINDS; k++) {
		/* Every round begins with another one. */
		struct peer *peer = &comparison->peers[(k + round) % KINDS];

		if (!peer->is_well)
			continue;
		if (!bench_server_measure(&peer->server, cells[cell].connections, cells[cell].size,
			    comparison->seconds, &peer->samples[cell][round])) {
			fprintf(stderr, "left out from here: %s\n", peer->server.name);
			peer->is_well = false;
		}
	}
}

static void
measure_all(struct comparison *comparison)
{
	struct bench_sample unused;

	for (unsigned i = 0; i < KINDS; i++) {
		struct peer *peer = &comparison->peers[i];

		if (!peer->is_well)
			continue;
		/* Compilers at run time, and caches of all kinds, have to be made warm. */
		peer->is_well = bench_server_idle_memory(&peer->server, IDLE, &peer->idle) &&
				bench_server_measure(&peer->server, 100, 64, 1, &unused);
	}
	for (size_t cell = 0; cell < CELLS; cell++)
		for (unsigned round = 0; round < comparison->rounds; round++) {
			if (isatty(STDOUT_FILENO))
				bench_say(comparison->options, "\rcell %zu/%zu round %u/%u",
					cell + 1, CELLS, round + 1, comparison->rounds);
			measure_cell(comparison, cell, round);
		}
	bench_say(comparison->options, "\n\n");
}

/* ---- results ---- */

enum figure { THROUGHPUT, CPU, P50, P99, P99_9, FIGURES };

static double
figure_of(const struct bench_sample *sample, enum figure figure)
{
	const double values[FIGURES] = {
		sample->throughput, sample->cpu, sample->p50, sample->p99, sample->p99_9};

	return values[figure];
}

static double
median_figure(const struct comparison *comparison, unsigned peer, size_t cell, enum figure figure)
{
	double values[ROUNDS_MAX];

	for (unsigned i = 0; i < comparison->rounds; i++)
		values[i] = figure_of(&comparison->peers[peer].samples[cell][i], figure);
	return median(values, comparison->rounds);
}

/* The median over rounds of the ratio to the epoll loop in the same round. */
static double
median_ratio(const struct comparison *comparison, unsigned peer, size_t cell, enum figure figure)
{
	double values[ROUNDS_MAX];

	for (unsigned i = 0; i < comparison->rounds; i++)
		values[i] =
			figure_of(&comparison->peers[peer].samples[cell][i], figure) /
			figure_of(&comparison->peers[comparison->epoll].samples[cell][i], figure);
	return median(values, comparison->rounds);
}

static void
print_machine(FILE *stream)
{
	struct utsname system;
	char line[256], model[128] = "unknown CPU";
	FILE *file = fopen("/proc/cpuinfo", "re");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	while (file != NULL && fgets(line, sizeof line, file) != NULL &&
		sscanf(line, "model name : %127[^\n]", model) != 1)
		continue;
	if (file != NULL)
		fclose(file);
	uname(&system);
	fprintf(stream, "%s, %ld CPUs, %s %s; servers on CPU 0, the load on CPU 1", model, cpus,
		system.sysname, system.release);
}

static void
print_cell(FILE *stream, const struct comparison *comparison, size_t cell)
{
	bool is_connects = cells[cell].size == 0;

	if (is_connects)
		fprintf(stream, "\nConnects and closes, %u at once\n\n", cells[cell].connections);
	else
		fprintf(stream, "\n%u connection%s x %zu B\n\n", cells[cell].connections,
			cells[cell].connections > 1 ? "s" : "", cells[cell].size);
	fprintf(stream,
		"| server | %s/s | to epoll | CPU per %s | to epoll | p50 | p99 | p99.9 |\n"
		"|---|---|---|---|---|---|---|---|\n",
		is_connects ? "connects" : "echoes", is_connects ? "connect" : "echo");
	for (unsigned i = 0; i < KINDS; i++) {
		char p50[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE], p999[UNITS_TEXT_SIZE];

		if (!comparison->peers[i].is_well)
			continue;
		fprintf(stream, "| %s | %.0f | %.2f | %.2f us | %.2f | %s | %s | %s |\n",
			comparison->peers[i].server.name,
			median_figure(comparison, i, cell, THROUGHPUT),
			median_ratio(comparison, i, cell, THROUGHPUT),
			median_figure(comparison, i, cell, CPU) * 1e6,
			median_ratio(comparison, i, cell, CPU),
			units_write_time(p50,
				(int64_t)(median_figure(comparison, i, cell, P50) * 1e9),
				UNITS_AUTO),
			units_write_time(p99,
				(int64_t)(median_figure(comparison, i, cell, P99) * 1e9),
				UNITS_AUTO),
			units_write_time(p999,
				(int64_t)(median_figure(comparison, i, cell, P99_9) * 1e9),
				UNITS_AUTO));
	}
}

/* What a connection is by itself: how long a lone one waits, and what an idle one takes. */
static void
print_connections(FILE *stream, const struct comparison *comparison)
{
	fprintf(stream,
		"\nOne connection, and each of %u idle ones\n\n"
		"| server | p50 of one | own memory of an idle one | the second time |\n"
		"|---|---|---|---|\n",
		IDLE);
	for (unsigned i = 0; i < KINDS; i++) {
		const struct peer *peer = &comparison->peers[i];
		char p50[UNITS_TEXT_SIZE];

		if (!peer->is_well)
			continue;
		units_write_time(
			p50, (int64_t)(median_figure(comparison, i, 0, P50) * 1e9), UNITS_AUTO);
		fprintf(stream, "| %s | %s | %.1f KiB | %.1f KiB |\n", peer->server.name, p50,
			peer->idle.first / 1024, peer->idle.second / 1024);
	}
}

static void
print_tables(FILE *stream, const struct comparison *comparison)
{
	fprintf(stream, "Medians of %u rounds of %.3g s through all servers, interleaved; ",
		comparison->rounds, comparison->seconds);
	print_machine(stream);
	fprintf(stream, "\n");
	for (size_t cell = 0; cell < CELLS; cell++)
		print_cell(stream, comparison, cell);
	print_connections(stream, comparison);
}

static void
print_json(const struct comparison *comparison)
{
	static const char *const names[FIGURES] = {"throughput", "cpu", "p50", "p99", "p99_9"};

	for (unsigned i = 0; i < KINDS; i++) {
		const struct peer *peer = &comparison->peers[i];
		char name[128];

		if (!peer->is_well)
			continue;
		for (size_t cell = 0; cell < CELLS; cell++)
			for (int figure = 0; figure < FIGURES; figure++) {
				snprintf(name, sizeof name, "%s %ux%zu %s", peer->server.name,
					cells[cell].connections, cells[cell].size, names[figure]);
				bench_print(comparison->options, name,
					median_figure(comparison, i, cell, (enum figure)figure),
					figure == THROUGHPUT ? "1/s" : "s", NULL);
			}
		snprintf(name, sizeof name, "%s idle", peer->server.name);
		bench_print(comparison->options, name, peer->idle.first, "B", NULL);
		snprintf(name, sizeof name, "%s idle, second time", peer->server.name);
		bench_print(comparison->options, name, peer->idle.second, "B", NULL);
	}
}

/* ---- plots ---- */

static void
plot_cell(FILE *page, const struct comparison *comparison, size_t cell, enum figure figure,
	const char *label, double scale)
{
	char name[32], caption[128];
	struct plot plot;
	unsigned count = 0;

	snprintf(name, sizeof name, "cell%zu_%d", cell, (int)figure);
	if (!plot_begin(&plot, name))
		return;
	fputs("$bars << EOD\n", plot.stream);
	for (unsigned i = 0; i < KINDS; i++)
		if (comparison->peers[i].is_well) {
			fprintf(plot.stream, "\"%s\" %.10g\n", comparison->peers[i].server.name,
				median_figure(comparison, i, cell, figure) * scale);
			count++;
		}
	fprintf(plot.stream,
		"EOD\nset style fill solid 0.8\nset boxwidth 0.7\nset yrange [0:*]\nset key off\n"
		"set ylabel '%s'\nset xtics rotate by -25\nset xrange [-0.6:%u.6]\n"
		"plot $bars using 0:2:xtic(1) with boxes\n",
		label, count - 1);
	if (cells[cell].size == 0)
		snprintf(caption, sizeof caption, "Connects and closes: %s", label);
	else
		snprintf(caption, sizeof caption, "%u connections x %zu B: %s",
			cells[cell].connections, cells[cell].size, label);
	plot_end(&plot, page, caption, "The tables have the numbers.");
}

static int
write_page(const struct comparison *comparison, const char *path)
{
	char *text = NULL;
	size_t length = 0;
	FILE *page, *tables;

	if (!plot_is_possible())
		return 1;
	page = fopen(path, "we");
	tables = page != NULL ? open_memstream(&text, &length) : NULL;
	if (tables == NULL) {
		fprintf(stderr, "hubbub-bench: %s cannot be written: %s\n", path, strerror(errno));
		return 1;
	}
	print_tables(tables, comparison);
	fclose(tables);
	plot_open_page(page, "The same echo in everyone's framework");
	plot_cell(page, comparison, 1, CPU, "CPU per echo, us", 1e6);
	plot_cell(page, comparison, 1, THROUGHPUT, "echoes per second", 1);
	plot_cell(page, comparison, 4, CPU, "CPU per echo, us", 1e6);
	plot_cell(page, comparison, 5, THROUGHPUT, "connects per second", 1);
	fputs("<pre>", page);
	plot_escape(page, text);
	fputs("</pre>\n", page);
	plot_close_page(page);
	free(text);
	return fclose(page) == 0 ? 0 : 1;
}

int
bench_peers(const struct bench_options *options)
{
	static struct comparison comparison;
	int code = 0;

	comparison = (struct comparison){.options = options,
		.rounds = options->rounds != 0 ? options->rounds : ROUNDS,
		.seconds = options->seconds > 0 ? options->seconds : SECONDS,
		.epoll = 1};
	if (comparison.rounds > ROUNDS_MAX)
		comparison.rounds = ROUNDS_MAX;
	for (unsigned i = 0; i < KINDS; i++)
		start_peer(&comparison, i);
	if (comparison.peers[0].is_well && comparison.peers[comparison.epoll].is_well)
		measure_all(&comparison);
	if (!comparison.peers[0].is_well || !comparison.peers[comparison.epoll].is_well)
		code = 1;
	else if (options->json)
		print_json(&comparison);
	else
		print_tables(stdout, &comparison);
	if (code == 0 && options->html != NULL)
		code = write_page(&comparison, options->html);
	for (unsigned i = 0; i < KINDS; i++)
		bench_server_end(&comparison.peers[i].server);
	return code;
}
