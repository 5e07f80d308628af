/* The page of `report`: verdict, tables, plots, notes and configuration, all read from a result's
 * JSON, not from memory, so a page can be made of a file of any age. A part that the result lacks
 * is left out. Text of the result is escaped (plot_escape). */
#include "tests/load/show/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/ask/units.h"
#include "tests/load/count/hdr.h"
#include "tests/load/show/json_read.h"
#include "tests/load/show/outfile.h"
#include "tests/load/show/plot.h"

#define POINTS_MAX 1000 /* points of a line in a plot */

/* ---- numbers and words ---- */

static const char *
text_at(const json_t *json, const char *path)
{
	const char *text = json_string_value(json_at(json, path));

	return text != NULL ? text : "";
}

static const char *
time_at(const json_t *json, const char *path, char text[static UNITS_TEXT_SIZE])
{
	return units_write_time(text, (int64_t)json_number_at(json, path, -1), UNITS_AUTO);
}

static bool
is_open_loop(const json_t *result)
{
	return strcmp(text_at(result, "config.mode"), "open") == 0;
}

static void
write_verdict(FILE *page, const json_t *result)
{
	const char *verdict = text_at(result, "verdict");
	const json_t *reasons = json_at(result, "generator.reasons");
	char rate[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE];

	fprintf(page, "<div class=\"verdict%s\"><strong>",
		strcmp(verdict, "pass") == 0 ? "" : " bad");
	plot_escape(page, verdict);
	fprintf(page, "</strong>: %s replies a second, p99 %s, %.0f errors, ",
		units_write_count(rate, json_number_at(result, "load.achieved", 0)),
		time_at(result, "latency_ns.response.p99", p99),
		json_number_at(result, "errors.total", 0));
	plot_escape(page, text_at(result, "started"));
	fputs("</div>\n", page);
	for (size_t i = 0; i < json_array_size(reasons); i++) {
		fputs("<p><strong>invalid:</strong> ", page);
		plot_escape(page, json_string_value(json_array_get(reasons, i)));
		fputs("</p>\n", page);
	}
	if (*text_at(result, "verify.first") != '\0') {
		fputs("<p><strong>first wrong reply:</strong> <code>", page);
		plot_escape(page, text_at(result, "verify.first"));
		fputs("</code></p>\n", page);
	}
}

static void
write_latency_table(FILE *page, const json_t *result)
{
	static const char *const rows[][2] = {{"response", "response time, from the intended send"},
		{"service", "service time, from the actual send"}, {"connect", "connect time"},
		{"send_lag", "send lag of the generator"}};
	static const char *const columns[] = {"p50", "p90", "p99", "p99_9", "p99_99", "max"};

	fputs("<table><tr><th></th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>p99.99</"
	      "th>"
	      "<th>max</th><th>samples</th></tr>\n",
		page);
	for (size_t i = 0; i < 4; i++) {
		char path[64], text[UNITS_TEXT_SIZE];

		fprintf(page, "<tr><td>%s</td>", rows[i][1]);
		for (size_t j = 0; j < 6; j++) {
			snprintf(path, sizeof path, "latency_ns.%s.%s", rows[i][0], columns[j]);
			fprintf(page, "<td>%s</td>", time_at(result, path, text));
		}
		snprintf(path, sizeof path, "latency_ns.%s.count", rows[i][0]);
		fprintf(page, "<td>%.0f</td></tr>\n", json_number_at(result, path, 0));
	}
	fputs("</table>\n", page);
}

static void
write_gate_value(FILE *page, const json_t *gate)
{
	char text[UNITS_TEXT_SIZE];

	fputs("</code></td><td>", page);
	if (!json_is_number(json_at(gate, "value")))
		fputc('-', page);
	else if (strcmp(text_at(gate, "unit"), "ns") == 0)
		fputs(time_at(gate, "value", text), page);
	else
		fprintf(page, "%.6g", json_number_at(gate, "value", 0));
}

static void
write_gates(FILE *page, const json_t *result)
{
	const json_t *gates = json_at(result, "gates"), *gate;
	size_t i;

	if (json_array_size(gates) == 0)
		return;
	fputs("<h2>Gates</h2>\n<table><tr><th>fails if</th><th>value</th><th></th></tr>\n", page);
	json_array_foreach(gates, i, gate)
	{
		fputs("<tr><td><code>", page);
		plot_escape(page, text_at(gate, "expr"));
		write_gate_value(page, gate);
		fprintf(page, "</td><td>%s</td></tr>\n",
			json_is_true(json_at(gate, "ok")) ? "ok" : "breached");
	}
	fputs("</table>\n", page);
}

/* ---- plots ---- */

/* Writes the spectrum as lines of "1/(1-share) milliseconds", in a gnuplot data block. Returns
 * false if the result has none. */
static bool
write_spectrum(FILE *script, const char *block, const json_t *result, const char *which)
{
	struct histogram *histogram = malloc(sizeof *histogram);
	char path[64];
	const char *encoded;
	bool has_any = false;

	snprintf(path, sizeof path, "latency_ns.%s.hdr_v2", which);
	encoded = text_at(result, path);
	if (histogram != NULL && *encoded != '\0' && hdr_decode(encoded, histogram) &&
		histogram->count > 0) {
		double last = (double)histogram->count;

		has_any = true;
		fprintf(script, "$%s << EOD\n", block);
		for (double inverse = 1; inverse < last; inverse *= 1.05)
			fprintf(script, "%.6g %.6g\n", inverse,
				(double)histogram_quantile(histogram, 1 - 1 / inverse) / 1e6);
		fprintf(script, "%.6g %.6g\nEOD\n", last, (double)histogram->max / 1e6);
	}
	free(histogram);
	return has_any;
}

static void
plot_spectrum(FILE *page, const json_t *result, const json_t *base)
{
	struct plot plot;
	bool has_response, has_service, has_base;

	if (!plot_begin(&plot, "spectrum"))
		return;
	has_response = write_spectrum(plot.stream, "response", result, "response");
	has_service =
		is_open_loop(result) && write_spectrum(plot.stream, "service", result, "service");
	has_base = base != NULL && write_spectrum(plot.stream, "base", base, "response");
	if (!has_response) {
		fclose(plot.stream);
		free(plot.script);
		return;
	}
	fprintf(plot.stream,
		"set logscale x\nset logscale y\nset ylabel 'milliseconds'\n"
		"set xtics ('0 %%%%' 1, '50 %%%%' 2, '90 %%%%' 10, '99 %%%%' 100, '99.9 %%%%' "
		"1e3, '99.99 %%%%' 1e4, "
		"'99.999 %%%%' 1e5, '99.9999 %%%%' 1e6)\n"
		"plot $response with lines title 'response time'");
	if (has_service)
		fputs(", $service with lines title 'service time'", plot.stream);
	if (has_base)
		fputs(", $base with lines linetype 5 title 'base'", plot.stream);
	fputc('\n', plot.stream);
	plot_end(&plot, page, "Latency spectrum: how long the given share of messages took at most",
		"Latency by percentile; the table above has the numbers.");
}

/* Joins the values of several intervals into a point of a plot: the worst of times and counts, the
 * mean of rates. */
static double
join_intervals(const json_t *series, size_t from, size_t to, const char *key, bool is_worst)
{
	double joined = NAN;

	for (size_t i = from; i < to; i++) {
		double value = json_number_at(json_array_get(series, i), key, NAN);

		if (isnan(value))
			continue;
		if (isnan(joined))
			joined = is_worst ? value : value / (double)(to - from);
		else
			joined = is_worst ? fmax(joined, value)
					  : joined + value / (double)(to - from);
	}
	return joined;
}

/* Writes columns of the series as a gnuplot data block; '?' stands for a missing value. Intervals
 * of a long run are joined, so that no line has more than POINTS_MAX points. */
static void
write_series(FILE *script, const json_t *series)
{
	static const struct {
		const char *key;
		bool is_worst;
	} columns[] = {{"offered", false}, {"achieved", false}, {"p50", true}, {"p99", true},
		{"p99_9", true}, {"max", true}, {"errors", true}, {"open", false},
		{"in_flight", true}};
	size_t count = json_array_size(series), step = (count + POINTS_MAX - 1) / POINTS_MAX;
	double before = 0, offset = 0;

	fputs("set datafile missing '?'\n$series << EOD\n", script);
	for (size_t i = 0; i < count; i += step) {
		size_t end = i + step < count ? i + step : count;
		double t = json_number_at(json_array_get(series, end - 1), "t", 0);

		/* t begins anew with each run: put the runs one after the other. */
		if (t <= before)
			offset += before;
		before = t;
		fprintf(script, "%g", t + offset);
		for (size_t j = 0; j < sizeof columns / sizeof columns[0]; j++) {
			double value =
				join_intervals(series, i, end, columns[j].key, columns[j].is_worst);

			if (isnan(value))
				fputs(" ?", script);
			else
				fprintf(script, " %.6g", j >= 2 && j <= 5 ? value / 1e6 : value);
		}
		fputc('\n', script);
	}
	fputs("EOD\nset xlabel 'seconds'\n", script);
}

static void
plot_over_time(FILE *page, const json_t *result)
{
	const json_t *series = json_at(result, "series");
	struct plot plot;

	if (json_array_size(series) < 2)
		return;
	if (plot_begin(&plot, "latency")) {
		write_series(plot.stream, series);
		fputs("set logscale y\nset ylabel 'milliseconds'\n"
		      "plot $series using 1:4 with lines title 'p50', '' using 1:5 with lines "
		      "title "
		      "'p99', '' using 1:6 with lines title 'p99.9', '' using 1:7 with lines "
		      "linetype 5 "
		      "title 'max'\n",
			plot.stream);
		plot_end(&plot, page, "Response time over time",
			"Percentiles of response time in each interval.");
	}
	if (plot_begin(&plot, "rate")) {
		write_series(plot.stream, series);
		fputs("set ylabel 'messages per second'\nset yrange [0:*]\nset rmargin 10\nset "
		      "y2tics\n"
		      "set y2label 'in flight'\nset y2range [0:*]\n"
		      "plot $series using 1:2 with lines linetype 5 title 'offered', '' using 1:3 "
		      "with "
		      "lines linetype 1 title 'achieved', '' using 1:10 axes x1y2 with lines "
		      "linetype 2 "
		      "linewidth 1 title 'in flight (right)'\n",
			plot.stream);
		plot_end(&plot, page, "Offered and achieved rate",
			"Messages per second that were to be sent and that were answered, in each "
			"interval.");
	}
	if (json_number_at(result, "errors.total", 0) > 0 && plot_begin(&plot, "errors")) {
		write_series(plot.stream, series);
		fputs("set ylabel 'errors in the interval'\nset yrange [0:*]\nset rmargin 10\nset "
		      "y2tics\n"
		      "set y2label 'connections open'\nset y2range [0:*]\n"
		      "plot $series using 1:8 with impulses linetype 3 title 'errors', '' using "
		      "1:9 "
		      "axes x1y2 with lines linetype 1 title 'open (right)'\n",
			plot.stream);
		plot_end(&plot, page, "Errors and open connections",
			"Errors and open connections in each interval.");
	}
}

/* For a ramp or a staircase: the p99 at each achieved rate. */
static void
plot_knee(FILE *page, const json_t *result)
{
	const json_t *series = json_at(result, "series");
	const char *shape = text_at(result, "config.rate_shape");
	struct plot plot;

	if (json_array_size(series) < 3 ||
		(strstr(shape, "..") == NULL && strchr(shape, ':') == NULL))
		return;
	if (!plot_begin(&plot, "knee"))
		return;
	write_series(plot.stream, series);
	fputs("set xlabel 'messages per second achieved'\nset ylabel 'p99, milliseconds'\n"
	      "set logscale y\nset key off\nplot $series using 3:5 with linespoints pointtype 7 "
	      "pointsize "
	      "0.5\n",
		plot.stream);
	plot_end(&plot, page, "Throughput against p99",
		"p99 of each interval by the rate achieved.");
}

/* Plots the bytes that each hub of the server received during the run, where the server's stats are
 * known. */
static void
plot_hubs(FILE *page, const json_t *result)
{
	const json_t *workers = json_at(result, "server.after.workers"), *worker, *hub;
	const json_t *before = json_at(result, "server.before.workers");
	struct plot plot;
	size_t i, j, count = 0;

	if (json_array_size(workers) == 0 || !plot_begin(&plot, "hubs"))
		return;
	fputs("$hubs << EOD\n", plot.stream);
	json_array_foreach(workers, i, worker)
		json_array_foreach(json_object_get(worker, "hubs"), j, hub)
	{
		const json_t *earlier =
			json_array_get(json_object_get(json_array_get(before, i), "hubs"), j);

		fprintf(plot.stream, "%zu.%zu %.10g\n", i, j,
			json_number_at(hub, "received_bytes_total", 0) -
				json_number_at(earlier, "received_bytes_total", 0));
		count++;
	}
	fprintf(plot.stream,
		"EOD\nset style fill solid 0.8\nset boxwidth 0.7\nset yrange [0:*]\nset key off\n"
		"set ylabel 'bytes received'\nset format y '%%.1s%%c'\nset xlabel 'worker.hub'\n"
		"set xrange [-0.6:%zu.6]\nplot $hubs using 0:2:xtic(1) with boxes\n",
		count - 1);
	plot_end(&plot, page, "Balance over the server's hubs",
		"Bytes received by each hub during the run.");
}

/* ---- what it was ---- */

static void
write_configuration(FILE *page, const json_t *result)
{
	const json_t *argv = json_at(result, "config.argv"), *argument, *value;
	const char *key;
	size_t i;

	fputs("<h2>Repeat it</h2>\n<pre>hubbub-load", page);
	json_array_foreach(argv, i, argument)
	{
		if (i == 0)
			continue;
		fputs(" '", page);
		plot_escape(page, json_string_value(argument));
		fputc('\'', page);
	}
	fputs("</pre>\n<h2>Load and machine</h2>\n<table>\n", page);
	for (int part = 0; part < 2; part++)
		json_object_foreach(json_at(result, part == 0 ? "config" : "env"), key, value)
		{
			char *text = json_is_string(value)
					     ? strdup(json_string_value(value))
					     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

			if (strcmp(key, "argv") != 0 && !json_is_null(value)) {
				fputs("<tr><td>", page);
				plot_escape(page, key);
				fputs("</td><td>", page);
				plot_escape(page, text != NULL ? text : "");
				fputs("</td></tr>\n", page);
			}
			free(text);
		}
	fputs("</table>\n<p class=\"soft\">hubbub-load ", page);
	plot_escape(page, text_at(result, "version"));
	fputs("</p>\n", page);
}

static void
write_notes(FILE *page, const json_t *result)
{
	const json_t *notes = json_at(result, "generator.notes"),
		     *cpu = json_at(result, "generator.cpu_pct");
	char lag[UNITS_TEXT_SIZE];
	size_t i;
	const json_t *each;

	fprintf(page, "<h2>The generator</h2>\n<p>send lag p99 %s; CPU of its threads:",
		time_at(result, "generator.lag_p99_ns", lag));
	json_array_foreach(cpu, i, each) fprintf(page, " %.0f %%", json_number_value(each));
	fputs("</p>\n", page);
	json_array_foreach(notes, i, each)
	{
		fputs("<p>note: ", page);
		plot_escape(page, json_string_value(each));
		fputs("</p>\n", page);
	}
}

bool
page_write(const char *path, const json_t *result, const json_t *base)
{
	FILE *page;
	char title[256];

	if (!plot_is_possible())
		return false;
	page = outfile_open(path);
	if (page == NULL)
		return false;
	snprintf(title, sizeof title, "Load on %s",
		json_string_value(json_array_get(json_at(result, "config.targets"), 0)) != NULL
			? json_string_value(json_array_get(json_at(result, "config.targets"), 0))
			: "?");
	plot_open_page(page, title);
	write_verdict(page, result);
	write_latency_table(page, result);
	write_gates(page, result);
	plot_spectrum(page, result, base);
	plot_over_time(page, result);
	plot_knee(page, result);
	plot_hubs(page, result);
	write_notes(page, result);
	write_configuration(page, result);
	plot_close_page(page);
	return outfile_end(page, path);
}
