/* Shows what a sweep found: a table, the choice with its reason, a page, JSON. Nothing is measured
 * or decided here: sweep_choose is asked anew for each output. */
#include "tests/load/run/sweep_view.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "master/start/cpus.h"
#include "tests/load/show/json.h"
#include "tests/load/show/outfile.h"
#include "tests/load/show/plot.h"

/* ---- the choice ---- */

static void
print_range(FILE *stream, const struct samples *samples)
{
	char low[UNITS_TEXT_SIZE], high[UNITS_TEXT_SIZE];

	fprintf(stream, "%s to %s/s", units_write_count(low, samples_low(samples)),
		units_write_count(high, samples_high(samples)));
}

static void
print_why(FILE *stream, const struct sweep *sweep, const struct choice *choice)
{
	const struct measured *chosen = &sweep->measured[choice->chosen];
	const struct measured *best = &sweep->measured[choice->best];
	char common[UNITS_TEXT_SIZE];

	fprintf(stream, "choose: --processes=%u --threads=%u: ", chosen->shape.processes,
		chosen->shape.threads);
	units_write_count(common, sweep->rate);
	if (choice->chosen == choice->best) {
		fprintf(stream, "the highest throughput");
	} else {
		fprintf(stream, "its throughput (");
		print_range(stream, &chosen->throughput);
		fprintf(stream, ") is as good as the highest (%ux%u: ", best->shape.processes,
			best->shape.threads);
		print_range(stream, &best->throughput);
		fprintf(stream, ")");
	}
	if (choice->kind == CHOICE_ALIKE)
		fprintf(stream, "; as good at %s/s: %s\n", common, choice->why);
	else if (sweep->count > 1)
		fprintf(stream, ", and the lowest p99 of all with such a throughput, at %s/s\n",
			common);
	else
		fprintf(stream, ", with no other shape to compare\n");
	if (chosen->shape.processes == 1)
		fprintf(stream, "note: with one process a crash takes every connection\n");
}

/* Whether a measurement stayed invalid in spite of its repetitions. */
static bool
has_doubts(const struct sweep *sweep)
{
	for (unsigned i = 0; i < sweep->count; i++)
		if (sweep->measured[i].throughput.doubts + sweep->measured[i].p99.doubts > 0)
			return true;
	return false;
}

static void
print_choice(FILE *stream, const struct sweep *sweep)
{
	const struct choice choice = sweep_choose(sweep->measured, sweep->count);
	char rate[UNITS_TEXT_SIZE], first[UNITS_TEXT_SIZE];
	unsigned threads = sweep->load->processes * sweep->load->threads;

	if (choice.kind == CHOICE_UNKNOWN)
		fprintf(stream,
			"cannot tell: %s; more --rounds, a longer --duration, or a machine with "
			"more CPUs may help\n",
			choice.why);
	else
		print_why(stream, sweep, &choice);
	fprintf(stream, "note: the load came from %u thread%s on the same machine of %u CPUs\n",
		threads, threads == 1 ? "" : "s", cpus_allowed());
	if (sweep->rate < sweep->first_rate)
		fprintf(stream,
			"note: the common rate is %s/s, because not all shapes could be measured "
			"at %s/s\n",
			units_write_count(rate, sweep->rate),
			units_write_count(first, sweep->first_rate));
	if (has_doubts(sweep))
		fprintf(stream, "note: * some rounds stayed invalid, though they were "
				"repeated\n");
}

/* ---- output ---- */

static const char *
write_spread(char text[static UNITS_TEXT_SIZE], const struct samples *samples)
{
	double spread = samples_spread(samples);

	snprintf(text, UNITS_TEXT_SIZE, spread < 0 ? "-" : "%.0f%%", 100 * spread);
	return text;
}

static const char *
mark(const struct samples *samples)
{
	return samples->doubts > 0 ? "*" : " ";
}

static void
print_shape(FILE *stream, const struct sweep *sweep, const struct measured *each, bool is_chosen)
{
	char rate[UNITS_TEXT_SIZE], p50[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE], cpu[32],
		memory[UNITS_TEXT_SIZE], shape[32], spread[UNITS_TEXT_SIZE],
		tail_spread[UNITS_TEXT_SIZE];
	double used = samples_median(&each->cpu);

	snprintf(shape, sizeof shape, "%ux%u", each->shape.processes, each->shape.threads);
	snprintf(cpu, sizeof cpu, used < 0 ? "-" : "%.2fus", used * 1e6);
	units_write_count(rate, fmax(0, samples_median(&each->throughput)));
	units_write_time(p50, (int64_t)samples_median(&each->p50), sweep->load->unit);
	units_write_time(p99, (int64_t)samples_median(&each->p99), sweep->load->unit);
	fprintf(stream, "%9s %8s/s%s %6s %9s %9s %9s %9s%s %6s%s\n", shape, rate,
		mark(&each->throughput), write_spread(spread, &each->throughput), cpu,
		units_write_bytes(memory, each->memory), p50, p99, mark(&each->p99),
		write_spread(tail_spread, &each->p99), is_chosen ? " <-" : "");
}

void
sweep_print_table(FILE *stream, const struct sweep *sweep)
{
	const struct choice choice = sweep_choose(sweep->measured, sweep->count);
	char rate[UNITS_TEXT_SIZE], common[UNITS_TEXT_SIZE + 8];

	snprintf(common, sizeof common, "at %s/s:", units_write_count(rate, sweep->rate));
	fprintf(stream, "%9s %18s %9s %9s %9s\n", "processes", "", "CPU per", "", common);
	fprintf(stream, "x threads throughput  spread   message    memory       p50       p99  "
			"spread\n");
	for (unsigned i = 0; i < sweep->count; i++)
		print_shape(stream, sweep, &sweep->measured[i],
			choice.kind != CHOICE_UNKNOWN && i == choice.chosen);
}

static json_t *
number_or_null(double value)
{
	return value < 0 ? json_null() : json_real(value);
}

static json_t *
shape_json(const struct measured *measured)
{
	json_t *shape = json_pack("{s:i, s:i}", "processes", (int)measured->shape.processes,
		"threads", (int)measured->shape.threads);
	const struct {
		const char *name;
		double value;
	} numbers[] = {{"throughput", samples_median(&measured->throughput)},
		{"throughput_spread", samples_spread(&measured->throughput)},
		{"cpu_per_message_s", samples_median(&measured->cpu)},
		{"memory_bytes", measured->memory}, {"p50_ns", samples_median(&measured->p50)},
		{"p99_ns", samples_median(&measured->p99)},
		{"p99_spread", samples_spread(&measured->p99)}};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		json_object_set_new(shape, numbers[i].name, number_or_null(numbers[i].value));
	json_object_set_new(shape, "valid",
		json_boolean(measured->throughput.doubts + measured->p99.doubts == 0));
	return shape;
}

static json_t *
sweep_json(const struct sweep *sweep)
{
	const struct choice choice = sweep_choose(sweep->measured, sweep->count);
	const struct load_shape *chosen = &sweep->measured[choice.chosen].shape;
	json_t *shapes = json_array(), *shape = json_null();

	for (unsigned i = 0; i < sweep->count; i++)
		json_array_append_new(shapes, shape_json(&sweep->measured[i]));
	if (choice.kind != CHOICE_UNKNOWN)
		shape = json_pack("{s:i, s:i}", "processes", (int)chosen->processes, "threads",
			(int)chosen->threads);
	return json_pack("{s:i, s:s, s:s, s:f, s:f, s:i, s:o, s:s, s:s, s:o}", "schema_version",
		JSON_SCHEMA_VERSION, "tool", "hubbub-load sweep", "version", HUBBUB_VERSION,
		"common_rate", sweep->rate, "first_rate", sweep->first_rate, "rounds",
		(int)sweep->load->rounds, "shapes", shapes, "answer", choice_names[choice.kind],
		"why", choice.why, "choice", shape);
}

void
sweep_print(FILE *stream, const struct sweep *sweep)
{
	sweep_print_table(stream, sweep);
	print_choice(stream, sweep);
}

/* Plots a bar for each shape, with marks at the lowest and the highest round; grey if a round was
 * invalid. */
static void
plot_bars(FILE *page, const struct sweep *sweep, const char *name, const char *caption,
	const char *label, double scale,
	const struct samples *(*of)(const struct measured *measured))
{
	struct plot plot;

	if (!plot_begin(&plot, name))
		return;
	fputs("$bars << EOD\n", plot.stream);
	for (unsigned i = 0; i < sweep->count; i++) {
		const struct measured *each = &sweep->measured[i];
		const struct samples *samples = of(each);
		double middle = fmax(0, samples_median(samples)) * scale;

		fprintf(plot.stream, "\"%ux%u%s\" %.10g %.10g %.10g %d\n", each->shape.processes,
			each->shape.threads, samples->doubts > 0 ? " (invalid)" : "", middle,
			samples->count > 0 ? samples_low(samples) * scale : middle,
			samples->count > 0 ? samples_high(samples) * scale : middle,
			samples->doubts > 0);
	}
	fprintf(plot.stream,
		"EOD\nset style fill solid 0.8\nset boxwidth 0.6\nset yrange [0:*]\nset key off\n"
		"set ylabel '%s'\nset xlabel 'processes x threads'\nset xrange [-0.6:%u.6]\n"
		"plot $bars using 0:($5==0?$2:1/0):xtic(1) with boxes, "
		"$bars using 0:($5==1?$2:1/0) with boxes fill pattern 4 lc rgb '#999999', "
		"$bars using 0:2:3:4 with yerrorbars lc rgb '#666666' pt 0\n",
		label, sweep->count - 1);
	plot_end(&plot, page, caption, "The table above has the numbers.");
}

static const struct samples *
throughput_of(const struct measured *measured)
{
	return &measured->throughput;
}

static const struct samples *
p99_of(const struct measured *measured)
{
	return &measured->p99;
}

static const struct samples *
cpu_of(const struct measured *measured)
{
	return &measured->cpu;
}

/* Memory, the most of all rounds, as samples for plot_bars; static until the next call. */
static const struct samples *
memory_of(const struct measured *measured)
{
	static struct samples samples;

	samples.count = 1;
	samples.values[0] = measured->memory;
	return &samples;
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
	plot_bars(page, sweep, "throughput", "Throughput, closed loop", "messages per second", 1,
		throughput_of);
	plot_bars(page, sweep, "p99", "p99 of response time, open loop", "milliseconds", 1e-6,
		p99_of);
	plot_bars(page, sweep, "cpu", "CPU of the server per message", "microseconds", 1e6, cpu_of);
	plot_bars(
		page, sweep, "memory", "Memory of the server", "MiB", 1.0 / 1024 / 1024, memory_of);
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
