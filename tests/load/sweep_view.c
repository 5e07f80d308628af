/* What a sweep found: a table, a choice, a page, JSON. */
#include "tests/load/sweep_view.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "master/cpus.h"
#include "tests/load/histogram.h"
#include "tests/load/json.h"
#include "tests/load/median.h"
#include "tests/load/outfile.h"
#include "tests/load/plot.h"

#define ALIKE 0.05 /* throughputs this near are as good as each other */

/* Of the first count of them; -1 if there is none. */
static double
median_of(const double *values, unsigned count)
{
	double sorted[SWEEP_ROUNDS_MAX];

	if (count == 0)
		return -1;
	memcpy(sorted, values, count * sizeof *values);
	return median(sorted, count);
}

double
sweep_throughput(const struct measured *measured)
{
	return median_of(measured->throughput, measured->rounds);
}

/* ---- the choice ---- */

/* Of those whose throughput is about the highest, the one with the lowest p99. */
static unsigned
choose(const struct sweep *sweep)
{
	double highest = 0, lowest = INFINITY;
	unsigned chosen = 0;

	for (unsigned i = 0; i < sweep->count; i++)
		highest = fmax(highest, sweep_throughput(&sweep->measured[i]));
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct measured *each = &sweep->measured[i];
		double p99 = median_of(each->p99, each->open_rounds);

		/* One that could not be measured is taken only where none could. */
		if (each->doubts > 0 || p99 < 0)
			p99 = (double)HISTOGRAM_VALUE_MAX;
		if (sweep_throughput(each) < (1 - ALIKE) * highest || p99 >= lowest)
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
	unsigned threads = sweep->load->processes * sweep->load->threads;

	for (unsigned i = 0; i < sweep->count; i++) {
		if (sweep_throughput(&sweep->measured[i]) > sweep_throughput(best))
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
			units_write_count(rate, sweep_throughput(best)));
	fprintf(stream, ", and the lowest p99 of those that near, at %s/s\n",
		units_write_count(common, sweep->rate));
	if (chosen->shape.processes == 1)
		fprintf(stream, "note: with one process a crash takes every connection\n");
	fprintf(stream, "note: the load came from %u thread%s on the same machine of %u CPUs\n",
		threads, threads == 1 ? "" : "s", cpus_allowed());
	if (has_doubts)
		fprintf(stream,
			"note: * some runs of the open loop were not valid; use a lower -R, or a "
			"machine with more CPUs\n");
}

/* ---- output ---- */

void
sweep_print_table(FILE *stream, const struct sweep *sweep)
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
			units_write_count(rate, sweep_throughput(each)), cpu,
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
				"throughput", sweep_throughput(each), "cpu_per_message_s",
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

void
sweep_print(FILE *stream, const struct sweep *sweep)
{
	sweep_print_table(stream, sweep);
	print_choice(stream, sweep);
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

bool
sweep_write_page(const struct sweep *sweep)
{
	char *text = NULL;
	size_t length = 0;
	FILE *page, *table;

	if (!plot_is_possible())
		return false;
	page = outfile_open(sweep->load->html);
	if (page == NULL)
		return false;
	table = open_memstream(&text, &length);
	if (table == NULL) {
		fprintf(stderr, "hubbub-load: no memory\n");
		return false;
	}
	sweep_print(table, sweep);
	fclose(table);
	plot_open_page(page, "Processes and threads");
	fputs("<pre>", page);
	plot_escape(page, text);
	fputs("</pre>\n", page);
	free(text);
	plot_bars(page, sweep, "throughput", "Throughput, closed loop", "messages per second",
		sweep_throughput);
	plot_bars(page, sweep, "p99", "p99 of response time, open loop", "milliseconds", p99_of);
	plot_bars(page, sweep, "cpu", "CPU of the server per message", "microseconds", cpu_of);
	plot_bars(page, sweep, "memory", "Memory of the server", "MiB", memory_of);
	plot_close_page(page);
	return outfile_end(page, sweep->load->html);
}

bool
sweep_write_json(const struct sweep *sweep)
{
	json_t *json = sweep_json(sweep);
	bool is_written = json_write(json, sweep->load->output);

	json_decref(json);
	return is_written;
}
