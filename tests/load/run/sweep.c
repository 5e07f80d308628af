/* Finds the processes and threads to give a server: each shape is started and loaded in turn, round
 * by round, so that other work of the machine disturbs all alike. First a closed loop, for the
 * throughput of each; then one open loop at a rate that all of them can keep, because latencies are
 * comparable only at the same rate. An invalid measurement is repeated; then the rate is lowered,
 * until all shapes can be measured at it. */
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
#include "master/start/cpus.h"
#include "tests/load/ask/complete.h"
#include "tests/load/ask/options.h"
#include "tests/load/run/commands.h"
#include "tests/load/run/preflight.h"
#include "tests/load/run/run.h"
#include "tests/load/run/sweep_view.h"

#define READY_SECONDS 10     /* for a server to start */
#define STOP_SECONDS 10      /* for a server to end */
#define SHARE_OF_SLOWEST 0.7 /* the common rate, as a share of the slowest shape's throughput */
#define REPEATS_MAX 2        /* of an invalid measurement */
#define LOWERINGS_MAX 4      /* of the common rate, each by half */
#define SAMPLES_MIN 100      /* messages that a run needs for a p99 */

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

/* A program named without a '/' is taken from the directory of hubbub-load, if it is there, as in a
 * build; else from the PATH. Returns its path. */
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
	if (address_parse(address, sweep->load->targets, &why) == 0) {
		fail(sweep, "the server's ready line has no address: %s", ready);
		return false;
	}
	address_format(&sweep->load->targets[0], sweep->load->target_text[0]);
	family_find(&sweep->family, sweep->server.pid);
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

static void
note_memory(const struct interval *interval, const struct progress *progress, void *context)
{
	struct sweep *sweep = context;
	double bytes = family_memory(&sweep->family, "Pss");

	(void)interval;
	(void)progress;
	if (bytes > sweep->memory)
		sweep->memory = bytes;
}

/* ---- measuring ---- */

/* Notes why a result ends the sweep. */
static void
explain(struct sweep *sweep, const struct result *result)
{
	char errors[256];
	const char *why = result_errors(&result->total, errors, sizeof errors);

	if (result->trouble[0] != '\0')
		why = result->trouble;
	else if (result->failure[0] != '\0')
		why = result->failure;
	else if (result->offence[0] != '\0')
		why = result->offence;
	else if (result->reason_count > 0)
		why = result->reasons[0];
	for (unsigned i = 0; i < result->gate_count && !result->has_errors; i++)
		if (!result->gates[i].is_ok)
			why = result->gates[i].gate->text;
	fail(sweep, "%s: %s", result_verdict(result), why);
}

/* Runs a load on the running server; *cpu becomes its CPU seconds per message, -1 if not known.
 * Returns the result, or NULL if the sweep is to end. */
static struct result *
run_on_server(struct sweep *sweep, double rate, double *cpu)
{
	const struct watcher watcher = {.interval = note_memory, .context = sweep};
	struct load load = *sweep->load;
	struct result *result;
	double before = family_cpu(&sweep->family);

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
		       ? (family_cpu(&sweep->family) - before) / (double)result->total.tally.checked
		       : -1;
	/* An invalid measurement is repeated by the caller; any other failure ends the sweep, and
	 * so does a server that answered nothing. */
	if (result->code != LOAD_DONE &&
		!(result->code == LOAD_INVALID && result->failure[0] == '\0')) {
		sweep->code = result->code;
		explain(sweep, result);
		result_free(result);
		return NULL;
	}
	return result;
}

/* Starts the server with a shape, loads it, and stops it; rate 0 means the closed loop. Returns as
 * run_on_server. */
static struct result *
load_shape(struct sweep *sweep, struct load_shape shape, unsigned round, double rate, double *cpu)
{
	struct result *result = NULL;

	if (!sweep->load->is_quiet)
		fprintf(stderr, "  round %u/%u  %ux%u  %-11s", round + 1, sweep->load->rounds,
			shape.processes, shape.threads, rate > 0 ? "open loop" : "closed loop");
	if (start_server(sweep, shape)) {
		result = run_on_server(sweep, rate, cpu);
		stop_server(sweep);
	}
	return result;
}

static void
add_sample(struct samples *samples, double value)
{
	samples->values[samples->count++] = value;
}

static void
add_doubt(struct samples *samples, double value)
{
	samples->doubts++;
	samples->doubtful = value;
}

/* Repeats load_shape until the result is valid, at most REPEATS_MAX times. Returns as
 * run_on_server. */
static struct result *
load_until_valid(
	struct sweep *sweep, struct load_shape shape, unsigned round, double rate, double *cpu)
{
	for (unsigned repeats = 0;; repeats++) {
		struct result *result = load_shape(sweep, shape, round, rate, cpu);

		if (result == NULL || result->reason_count == 0 || repeats == REPEATS_MAX)
			return result;
		if (!sweep->load->is_quiet)
			fprintf(stderr, "  not valid: %s\n", result->reasons[0]);
		result_free(result);
	}
}

static bool
measure_closed(struct sweep *sweep, struct measured *measured, unsigned round)
{
	char text[UNITS_TEXT_SIZE];
	double cpu, rate;
	struct result *result = load_until_valid(sweep, measured->shape, round, 0, &cpu);
	bool is_valid;

	if (result == NULL)
		return false;
	rate = measurement_rate(&result->total);
	is_valid = result->reason_count == 0;
	(is_valid ? add_sample : add_doubt)(&measured->throughput, rate);
	(is_valid ? add_sample : add_doubt)(&measured->cpu, cpu);
	measured->memory = fmax(measured->memory, sweep->memory);
	if (!sweep->load->is_quiet)
		fprintf(stderr, "  %s/s%s\n", units_write_count(text, rate),
			is_valid ? "" : "  (not valid)");
	result_free(result);
	return true;
}

static bool
measure_open(struct sweep *sweep, struct measured *measured, unsigned round)
{
	char text[UNITS_TEXT_SIZE];
	double cpu;
	struct result *result = load_until_valid(sweep, measured->shape, round, sweep->rate, &cpu);
	const struct histogram *response;
	bool is_valid;

	if (result == NULL)
		return false;
	response = &result->total.response;
	is_valid = result->reason_count == 0;
	(is_valid ? add_sample : add_doubt)(
		&measured->p50, (double)histogram_quantile(response, 0.5));
	(is_valid ? add_sample : add_doubt)(
		&measured->p99, (double)histogram_quantile(response, 0.99));
	if (!sweep->load->is_quiet)
		fprintf(stderr, "  p99 %s%s\n",
			units_write_time(
				text, histogram_quantile(response, 0.99), sweep->load->unit),
			is_valid ? "" : "  (not valid)");
	result_free(result);
	return true;
}

/* The common rate: 70 % of the slowest shape's throughput, rounded down to two digits. */
static double
choose_rate(const struct sweep *sweep)
{
	double slowest = INFINITY, unit;

	for (unsigned i = 0; i < sweep->count; i++)
		slowest = fmin(slowest, samples_median(&sweep->measured[i].throughput));
	slowest = fmax(1, SHARE_OF_SLOWEST * slowest);
	unit = pow(10, fmax(0, floor(log10(slowest)) - 1));
	return floor(slowest / unit) * unit;
}

/* Whether the common rate may be lowered: the user did not set it, and enough messages remain. */
static bool
can_be_lowered(const struct sweep *sweep)
{
	double seconds = (double)sweep->load->duration / 1e9;

	return !sweep->load->is_open &&
	       sweep->rate > sweep->first_rate / (1 << LOWERINGS_MAX) * 1.5 &&
	       sweep->rate / 2 * seconds >= SAMPLES_MIN;
}

/* Measures all shapes at the common rate. *is_lowered: the rate was lowered because a shape could
 * not be measured, so all are to be measured anew. */
static bool
measure_rounds(struct sweep *sweep, bool *is_lowered)
{
	char rate[UNITS_TEXT_SIZE];

	*is_lowered = false;
	for (unsigned i = 0; i < sweep->count; i++) {
		memset(&sweep->measured[i].p50, 0, sizeof sweep->measured[i].p50);
		memset(&sweep->measured[i].p99, 0, sizeof sweep->measured[i].p99);
	}
	for (unsigned round = 0; round < sweep->load->rounds; round++)
		for (unsigned i = 0; i < sweep->count; i++) {
			if (!measure_open(sweep, &sweep->measured[i], round))
				return false;
			if (sweep->measured[i].p99.doubts == 0 || !can_be_lowered(sweep))
				continue;
			sweep->rate = floor(sweep->rate / 2);
			*is_lowered = true;
			if (!sweep->load->is_quiet)
				fprintf(stderr, "  all shapes again, at %s/s\n",
					units_write_count(rate, sweep->rate));
			return true;
		}
	return true;
}

static bool
measure_all(struct sweep *sweep)
{
	bool is_lowered;

	for (unsigned round = 0; round < sweep->load->rounds; round++)
		for (unsigned i = 0; i < sweep->count; i++)
			if (!measure_closed(sweep, &sweep->measured[i], round))
				return false;
	if (sweep->rate == 0)
		sweep->rate = choose_rate(sweep);
	sweep->first_rate = sweep->rate;
	do
		if (!measure_rounds(sweep, &is_lowered))
			return false;
	while (is_lowered);
	return true;
}

/* The default grid: powers of two, with at most as many hubs as CPUs. */
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
	complete_load(&load);
	if (load.grid_count == 0)
		choose_grid(&load);
	if (!load.is_quiet)
		preflight_warn(&load);
	run_handle_signals();
	sweep.load = &load;
	sweep.rate = load.is_open ? load.rate.from : 0;
	sweep.count = load.grid_count;
	for (unsigned i = 0; i < load.grid_count; i++)
		sweep.measured[i].shape = load.grid[i];
	if (!measure_all(&sweep)) {
		stop_server(&sweep);
		if (sweep.code > LOAD_SIGNALLED)
			sweep_print_table(stdout, &sweep);
		fprintf(stderr, "\nhubbub-load: %s\n", sweep.why);
		return sweep.code;
	}
	stream = load.output != NULL && strcmp(load.output, "-") == 0 ? stderr : stdout;
	sweep_print(stream, &sweep);
	if ((load.output != NULL && !sweep_write_json(&sweep)) ||
		(load.html != NULL && !sweep_write_page(&sweep)))
		return LOAD_FAILED;
	return sweep_choose(sweep.measured, sweep.count).kind == CHOICE_UNKNOWN ? LOAD_INVALID
										: LOAD_DONE;
}
