/* Which processes and threads to give a server: each shape is started and loaded in turn, round by round, so that what
 * else the machine does meets them all. First a closed loop, for what each can do; then one open loop at a
 * rate that all of them can do, because only at the same rate are latencies comparable. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "master/cpus.h"
#include "tests/load/commands.h"
#include "tests/load/json.h"
#include "tests/load/median.h"
#include "tests/load/options.h"
#include "tests/load/plot.h"
#include "tests/load/run.h"
#include "tests/support/program.h"

#define ROUNDS_MAX 100
#define READY_SECONDS 10
#define STOP_SECONDS 10
#define SHARE_OF_SLOWEST 0.7 /* the common rate of the open loop */
#define ALIKE 0.05           /* throughputs this near are as good as each other */
#define CHILDREN_MAX 1024

/* What a shape did; medians over the rounds. Negative: not known. */
struct measured {
	struct load_shape shape;
	double throughput[ROUNDS_MAX];
	double cpu[ROUNDS_MAX]; /* seconds of the server per message */
	double memory;          /* bytes, at most */
	double p50[ROUNDS_MAX]; /* nanoseconds, at the common rate */
	double p99[ROUNDS_MAX];
	unsigned rounds;      /* closed loops that were measured */
	unsigned open_rounds; /* open loops that were */
	unsigned doubts;      /* open loops that were not valid */
};

struct sweep {
	struct load *load;
	struct measured measured[LOAD_SHAPES_MAX];
	unsigned count;
	double rate; /* the common one */
	struct program server;
	pid_t pids[CHILDREN_MAX];
	int pid_count;
	double memory; /* of the server that runs, at most */
	int code;      /* that ends it; LOAD_DONE: none */
	char why[512];
};

static void __attribute__((format(printf, 2, 3))) fail(struct sweep *sweep, const char *format, ...)
{
	va_list arguments;

	if (sweep->code == LOAD_DONE)
		sweep->code = LOAD_FAILED;
	va_start(arguments, format);
	vsnprintf(sweep->why, sizeof sweep->why, format, arguments);
	va_end(arguments);
}

/* ---- the server ---- */

/* One that is not on the PATH may be in the folder of this program, as in a build. */
static char *
find_server(char *name, char path[static PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (strchr(name, '/') != NULL || length <= 0)
		return name;
	path[length] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash + 1, (size_t)(PATH_MAX - (slash + 1 - path)), "%s", name);
	return access(path, X_OK) == 0 ? path : name;
}

static bool
names_address(char **server)
{
	for (; *server != NULL; server++)
		if (strncmp(*server, "-l", 2) == 0 || strncmp(*server, "--listen", 8) == 0)
			return true;
	return false;
}

static bool
start_server(struct sweep *sweep, struct load_shape shape)
{
	char processes[32], threads[32], address[128], listen[] = "--listen=127.0.0.1:0";
	char *argv[256], path[PATH_MAX];
	const char *why, *ready;
	int count = 0;

	for (char **each = sweep->load->server; *each != NULL && count < 250; each++)
		argv[count++] = *each;
	argv[0] = find_server(argv[0], path);
	snprintf(processes, sizeof processes, "--processes=%u", shape.processes);
	snprintf(threads, sizeof threads, "--threads=%u", shape.threads);
	argv[count++] = processes;
	argv[count++] = threads;
	if (!names_address(sweep->load->server))
		argv[count++] = listen;
	argv[count] = NULL;
	if (!program_start(&sweep->server, argv, 0) ||
		!program_expect(&sweep->server, "ready: ", READY_SECONDS) ||
		!program_expect(&sweep->server, "pid ", 1)) {
		fail(sweep, "%s does not start with %ux%u: %s", argv[0], shape.processes,
			shape.threads,
			sweep->server.text[0] != '\0' ? sweep->server.text
						      : "it printed nothing; is it installed?");
		return false;
	}
	ready = strstr(sweep->server.text, "ready: ") + 7;
	snprintf(address, sizeof address, "%s%.*s", *ready == ':' ? "127.0.0.1" : "",
		(int)strcspn(ready, ", \n"), ready);
	sweep->load->target_count = 1;
	if (address_parse(address, sweep->load->targets, 1, &why) == 0) {
		fail(sweep, "the server's ready line has no address: %s", ready);
		return false;
	}
	address_format(&sweep->load->targets[0], sweep->load->target_text[0]);
	sweep->pids[0] = sweep->server.pid;
	sweep->pid_count =
		1 + program_children(sweep->server.pid, sweep->pids + 1, CHILDREN_MAX - 1);
	sweep->memory = 0;
	return true;
}

static void
stop_server(struct sweep *sweep)
{
	if (sweep->server.pid != 0)
		program_stop(&sweep->server, SIGTERM, STOP_SECONDS);
	program_end(&sweep->server);
	memset(&sweep->server, 0, sizeof sweep->server);
}

static double
server_cpu(const struct sweep *sweep)
{
	double seconds = 0;

	for (int i = 0; i < sweep->pid_count; i++) {
		struct timespec used;
		clockid_t clock;

		if (clock_getcpuclockid(sweep->pids[i], &clock) == 0 &&
			clock_gettime(clock, &used) == 0)
			seconds += (double)used.tv_sec + (double)used.tv_nsec / 1e9;
	}
	return seconds;
}

/* Of all its processes, with what they share counted once. */
static double
server_memory(const struct sweep *sweep)
{
	double bytes = 0;

	for (int i = 0; i < sweep->pid_count; i++) {
		char path[64], line[256];
		double kilobytes;
		FILE *file;

		snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)sweep->pids[i]);
		file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof line, file) != NULL)
			if (sscanf(line, "Pss: %lf kB", &kilobytes) == 1)
				bytes += kilobytes * 1024;
		if (file != NULL)
			fclose(file);
	}
	return bytes;
}

static void
note_memory(const struct interval *interval, const struct progress *progress, void *context)
{
	struct sweep *sweep = context;
	double bytes = server_memory(sweep);

	(void)interval;
	(void)progress;
	if (bytes > sweep->memory)
		sweep->memory = bytes;
}

/* ---- measuring ---- */

/* Why a result ends the sweep. */
static void
explain(struct sweep *sweep, const struct result *result)
{
	char errors[256];
	const char *why = result_errors(&result->total, errors, sizeof errors);

	if (result->trouble[0] != '\0')
		why = result->trouble;
	else if (result->offence[0] != '\0')
		why = result->offence;
	else if (result->reason_count > 0)
		why = result->reasons[0];
	for (unsigned i = 0; i < result->gate_count && !result->has_errors; i++)
		if (!result->gates[i].is_ok)
			why = result->gates[i].gate->text;
	fail(sweep, "%s: %s", result_verdict(result), why);
}

/* Runs a load on the server that runs. Returns the result, or NULL when the sweep is to end. */
static struct result *
run_on_server(struct sweep *sweep, double rate, double *cpu)
{
	const struct watcher watcher = {.interval = note_memory, .context = sweep};
	struct load load = *sweep->load;
	struct result *result;
	double before = server_cpu(sweep);

	load.is_open = rate > 0;
	load.rate.from = load.rate.to = rate;
	load.rate.form = PLAN_CONSTANT;
	load.repeat = 1;
	result = run_load(&load, &watcher);
	if (result == NULL) {
		fail(sweep, "no memory");
		return NULL;
	}
	*cpu = result->total.tally.checked > 0
		       ? (server_cpu(sweep) - before) / (double)result->total.tally.checked
		       : -1;
	/* What an open loop cannot measure is said in the table; the rest ends the sweep. */
	if (result->code != LOAD_DONE && !(result->code == LOAD_INVALID && rate > 0)) {
		sweep->code = result->code;
		explain(sweep, result);
		result_free(result);
		return NULL;
	}
	return result;
}

static void
say_progress(const struct sweep *sweep, const struct measured *measured, const char *what,
	unsigned round)
{
	if (!sweep->load->is_quiet)
		fprintf(stderr, "  round %u/%u  %ux%u  %s", round + 1, sweep->load->rounds,
			measured->shape.processes, measured->shape.threads, what);
	fflush(stderr);
}

static bool
measure_closed(struct sweep *sweep, struct measured *measured, unsigned round)
{
	struct result *result;
	char rate[UNITS_TEXT_SIZE];
	double cpu;

	say_progress(sweep, measured, "closed loop", round);
	if (!start_server(sweep, measured->shape))
		return false;
	result = run_on_server(sweep, 0, &cpu);
	stop_server(sweep);
	if (result == NULL)
		return false;
	measured->throughput[measured->rounds] = measurement_rate(&result->total);
	measured->cpu[measured->rounds++] = cpu;
	if (sweep->memory > measured->memory)
		measured->memory = sweep->memory;
	if (!sweep->load->is_quiet)
		fprintf(stderr, "  %s/s\n",
			units_write_count(rate, measurement_rate(&result->total)));
	result_free(result);
	return true;
}

static bool
measure_open(struct sweep *sweep, struct measured *measured, unsigned round)
{
	struct result *result;
	char p99[UNITS_TEXT_SIZE];
	double cpu;

	say_progress(sweep, measured, "open loop", round);
	if (!start_server(sweep, measured->shape))
		return false;
	result = run_on_server(sweep, sweep->rate, &cpu);
	stop_server(sweep);
	if (result == NULL)
		return false;
	if (result->reason_count > 0)
		measured->doubts++;
	measured->p50[measured->open_rounds] =
		(double)histogram_quantile(&result->total.response, 0.5);
	measured->p99[measured->open_rounds++] =
		(double)histogram_quantile(&result->total.response, 0.99);
	if (!sweep->load->is_quiet)
		fprintf(stderr, "    p99 %s%s\n",
			units_write_time(p99, histogram_quantile(&result->total.response, 0.99),
				sweep->load->unit),
			result->reason_count > 0 ? "  (not valid)" : "");
	result_free(result);
	return true;
}

/* Of the first count of them; -1 if there is none. */
static double
median_of(const double *values, unsigned count)
{
	double sorted[ROUNDS_MAX];

	if (count == 0)
		return -1;
	memcpy(sorted, values, count * sizeof *values);
	return median(sorted, count);
}

static double
throughput_of(const struct measured *measured)
{
	return median_of(measured->throughput, measured->rounds);
}

static bool
measure_all(struct sweep *sweep)
{
	double slowest = INFINITY;

	for (unsigned round = 0; round < sweep->load->rounds; round++)
		for (unsigned i = 0; i < sweep->count; i++)
			if (!measure_closed(sweep, &sweep->measured[i], round))
				return false;
	for (unsigned i = 0; i < sweep->count; i++)
		slowest = fmin(slowest, throughput_of(&sweep->measured[i]));
	if (sweep->rate == 0)
		sweep->rate = fmax(1, floor(SHARE_OF_SLOWEST * slowest / 1000) * 1000);
	for (unsigned round = 0; round < sweep->load->rounds; round++)
		for (unsigned i = 0; i < sweep->count; i++)
			if (!measure_open(sweep, &sweep->measured[i], round))
				return false;
	return true;
}

/* ---- the choice ---- */

/* Of those whose throughput is about the highest, the one with the lowest p99. */
static unsigned
choose(const struct sweep *sweep)
{
	double highest = 0, lowest = INFINITY;
	unsigned chosen = 0;

	for (unsigned i = 0; i < sweep->count; i++)
		highest = fmax(highest, throughput_of(&sweep->measured[i]));
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct measured *each = &sweep->measured[i];
		double p99 = median_of(each->p99, each->open_rounds);

		/* One that could not be measured is taken only where none could. */
		if (each->doubts > 0 || p99 < 0)
			p99 = (double)HISTOGRAM_VALUE_MAX;
		if (throughput_of(each) < (1 - ALIKE) * highest || p99 >= lowest)
			continue;
		lowest = p99;
		chosen = i;
	}
	return chosen;
}

static void
print_choice(FILE *stream, const struct sweep *sweep)
{
	const struct measured *chosen = &sweep->measured[choose(sweep)], *best = chosen;
	char rate[UNITS_TEXT_SIZE], common[UNITS_TEXT_SIZE];
	bool has_doubts = false;

	for (unsigned i = 0; i < sweep->count; i++) {
		if (throughput_of(&sweep->measured[i]) > throughput_of(best))
			best = &sweep->measured[i];
		has_doubts = has_doubts || sweep->measured[i].doubts > 0;
	}
	fprintf(stream, "choose: --processes=%u --threads=%u: ", chosen->shape.processes,
		chosen->shape.threads);
	if (best == chosen)
		fprintf(stream, "the highest throughput");
	else
		fprintf(stream, "its throughput is within %.0f %% of the highest (%ux%u: %s/s)",
			100 * ALIKE, best->shape.processes, best->shape.threads,
			units_write_count(rate, throughput_of(best)));
	fprintf(stream, ", and the lowest p99 of those that near, at %s/s\n",
		units_write_count(common, sweep->rate));
	if (chosen->shape.processes == 1)
		fprintf(stream, "note: with one process a crash takes every connection\n");
	fprintf(stream, "note: the load came from %u threads on the same machine of %u CPUs\n",
		sweep->load->processes * sweep->load->threads, cpus_allowed());
	if (has_doubts)
		fprintf(stream,
			"note: * some runs of the open loop were not valid; use a lower -R, or a "
			"machine with more CPUs\n");
}

/* ---- output ---- */

static void
print_table(FILE *stream, const struct sweep *sweep)
{
	char rate[UNITS_TEXT_SIZE], p50[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE], cpu[32],
		memory[UNITS_TEXT_SIZE], common[UNITS_TEXT_SIZE + 8];
	unsigned chosen = choose(sweep);

	snprintf(common, sizeof common, "at %s/s:", units_write_count(rate, sweep->rate));
	fprintf(stream, "%9s %12s %14s %10s %14s %9s %9s\n", "processes", "", "CPU per", "", common,
		"", "");
	fprintf(stream, "x threads %12s %14s %10s %14s %9s\n", "throughput", "message", "memory",
		"p50", "p99");
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct measured *each = &sweep->measured[i];
		double used = median_of(each->cpu, each->rounds);
		char shape[32];

		snprintf(shape, sizeof shape, "%ux%u", each->shape.processes, each->shape.threads);
		snprintf(cpu, sizeof cpu, used < 0 ? "-" : "%.2fus", used * 1e6);
		fprintf(stream, "%9s %10s/s %14s %10s %14s %9s%s%s\n", shape,
			units_write_count(rate, throughput_of(each)), cpu,
			units_write_bytes(memory, each->memory),
			units_write_time(p50, (int64_t)median_of(each->p50, each->open_rounds),
				sweep->load->unit),
			units_write_time(p99, (int64_t)median_of(each->p99, each->open_rounds),
				sweep->load->unit),
			each->doubts > 0 ? "*" : " ", i == chosen ? " <-" : "");
	}
}

static json_t *
number_or_null(double value)
{
	return value < 0 ? json_null() : json_real(value);
}

static json_t *
sweep_json(const struct sweep *sweep)
{
	json_t *shapes = json_array();
	const struct measured *chosen = &sweep->measured[choose(sweep)];

	for (unsigned i = 0; i < sweep->count; i++) {
		const struct measured *each = &sweep->measured[i];
		double cpu = median_of(each->cpu, each->rounds);

		json_array_append_new(shapes,
			json_pack("{s:i, s:i, s:f, s:o, s:f, s:o, s:o, s:b}", "processes",
				(int)each->shape.processes, "threads", (int)each->shape.threads,
				"throughput", throughput_of(each), "cpu_per_message_s",
				number_or_null(cpu), "memory_bytes", each->memory, "p50_ns",
				number_or_null(median_of(each->p50, each->open_rounds)), "p99_ns",
				number_or_null(median_of(each->p99, each->open_rounds)), "valid",
				each->doubts == 0));
	}
	return json_pack("{s:i, s:s, s:s, s:f, s:i, s:o, s:{s:i, s:i}}", "schema_version",
		JSON_SCHEMA_VERSION, "tool", "hubbub-load sweep", "version", HUBBUB_VERSION,
		"common_rate", sweep->rate, "rounds", (int)sweep->load->rounds, "shapes", shapes,
		"choice", "processes", (int)chosen->shape.processes, "threads",
		(int)chosen->shape.threads);
}

/* One bar for each shape. */
static void
plot_bars(FILE *page, const struct sweep *sweep, const char *name, const char *caption,
	const char *label, double (*value)(const struct measured *measured))
{
	struct plot plot;

	if (!plot_begin(&plot, name))
		return;
	fputs("$bars << EOD\n", plot.stream);
	for (unsigned i = 0; i < sweep->count; i++)
		fprintf(plot.stream, "%ux%u %.10g\n", sweep->measured[i].shape.processes,
			sweep->measured[i].shape.threads, fmax(0, value(&sweep->measured[i])));
	fprintf(plot.stream,
		"EOD\nset style fill solid 0.8\nset boxwidth 0.6\nset yrange [0:*]\nset key off\n"
		"set ylabel '%s'\nset xlabel 'processes x threads'\nset xrange [-0.6:%u.6]\n"
		"plot $bars using 0:2:xtic(1) with boxes\n",
		label, sweep->count - 1);
	plot_end(&plot, page, caption, "The table above has the numbers.");
}

static double
p99_of(const struct measured *measured)
{
	return median_of(measured->p99, measured->open_rounds) / 1e6;
}

static double
cpu_of(const struct measured *measured)
{
	return median_of(measured->cpu, measured->rounds) * 1e6;
}

static double
memory_of(const struct measured *measured)
{
	return measured->memory / 1024 / 1024;
}

static bool
write_page(const struct sweep *sweep)
{
	char *text = NULL;
	size_t length = 0;
	FILE *page, *table;

	if (!plot_is_possible())
		return false;
	page = strcmp(sweep->load->html, "-") == 0 ? stdout : fopen(sweep->load->html, "we");
	table = page != NULL ? open_memstream(&text, &length) : NULL;
	if (table == NULL) {
		fprintf(stderr, "hubbub-load: %s cannot be written: %s\n", sweep->load->html,
			strerror(errno));
		return false;
	}
	print_table(table, sweep);
	print_choice(table, sweep);
	fclose(table);
	plot_open_page(page, "Processes and threads");
	fputs("<pre>", page);
	plot_escape(page, text);
	fputs("</pre>\n", page);
	free(text);
	plot_bars(page, sweep, "throughput", "Throughput, closed loop", "messages per second",
		throughput_of);
	plot_bars(page, sweep, "p99", "p99 of response time, open loop", "milliseconds", p99_of);
	plot_bars(page, sweep, "cpu", "CPU of the server per message", "microseconds", cpu_of);
	plot_bars(page, sweep, "memory", "Memory of the server", "MiB", memory_of);
	plot_close_page(page);
	return (page == stdout ? fflush(page) : fclose(page)) == 0;
}

static bool
write_json(const struct sweep *sweep)
{
	json_t *json = sweep_json(sweep);
	bool is_written = json_write(json, sweep->load->output);

	json_decref(json);
	return is_written;
}

/* Without --grid: powers of two, up to as many hubs as CPUs. */
static void
choose_grid(struct load *load)
{
	unsigned cpus = cpus_allowed();

	for (unsigned processes = 1; processes <= cpus && load->grid_count < 8; processes *= 2)
		for (unsigned threads = 1; processes * threads <= cpus && load->grid_count < 8;
			threads *= 2)
			load->grid[load->grid_count++] = (struct load_shape){processes, threads};
}

int
command_sweep(int argc, char **argv)
{
	static struct sweep sweep;
	static struct load load;
	FILE *stream;

	options_parse(&load, argc, argv, OPTIONS_SWEEP);
	options_complete(&load);
	if (load.grid_count == 0)
		choose_grid(&load);
	run_handle_signals();
	sweep.load = &load;
	sweep.rate = load.is_open ? load.rate.from : 0;
	sweep.count = load.grid_count;
	for (unsigned i = 0; i < load.grid_count; i++)
		sweep.measured[i].shape = load.grid[i];
	if (!measure_all(&sweep)) {
		stop_server(&sweep);
		fprintf(stderr, "\nhubbub-load: %s\n", sweep.why);
		return sweep.code;
	}
	stream = load.output != NULL && strcmp(load.output, "-") == 0 ? stderr : stdout;
	print_table(stream, &sweep);
	print_choice(stream, &sweep);
	if (load.output != NULL && !write_json(&sweep))
		return LOAD_FAILED;
	return load.html == NULL || write_page(&sweep) ? LOAD_DONE : LOAD_FAILED;
}
