/* The figures of a page: the latency spectrum, the course of a run, the knee, the balance over
 * hubs. Each is left out if the result lacks what it shows. */
#include "tests/load/show/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/count/hdr.h"
#include "tests/load/show/json_read.h"
#include "tests/load/show/plot.h"

#define POINTS_MAX 1000 /* points of a line in a plot */

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
	encoded = json_text_at(result, path);
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
	has_service = strcmp(json_text_at(result, "config.mode"), "open") == 0 &&
		      write_spectrum(plot.stream, "service", result, "service");
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

static double
time_of(const json_t *series, size_t index)
{
	return json_number_at(json_array_get(series, index), "t", 0);
}

/* Writes columns of the series as a gnuplot data block; '?' stands for a missing value. Runs stand
 * one after the other, and an empty line ends a run and its lines in the plot. Intervals of a long
 * series are joined, so that no line has many more than POINTS_MAX points. */
static void
write_series(FILE *script, const json_t *series)
{
	static const struct {
		const char *key;
		bool is_worst;
	} columns[] = {{"offered", false}, {"achieved", false}, {"p50", true}, {"p99", true},
		{"p99_9", true}, {"max", true}, {"errors", true}, {"open", false},
		{"in_flight", true}};
	size_t count = json_array_size(series), step = (count + POINTS_MAX - 1) / POINTS_MAX, end;
	double offset = 0;

	fputs("set datafile missing '?'\n$series << EOD\n", script);
	for (size_t i = 0; i < count; i = end) {
		double t = time_of(series, i);

		/* The time begins anew with each run. */
		if (i > 0 && t <= time_of(series, i - 1)) {
			offset += time_of(series, i - 1);
			fputc('\n', script);
		}
		for (end = i + 1; end < count && end < i + step && time_of(series, end) > t; end++)
			t = time_of(series, end);
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

/* What is least is drawn last: where p99.9 is the maximum, it is seen. */
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
		      "plot $series using 1:7 with lines linetype 5 title 'max', '' using 1:6 with "
		      "lines linetype 3 title 'p99.9', '' using 1:5 with lines linetype 2 title "
		      "'p99', '' using 1:4 with lines linetype 1 title 'p50'\n",
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

static size_t
count_known(const json_t *series, const char *key)
{
	size_t known = 0;

	for (size_t i = 0; i < json_array_size(series); i++)
		known += json_is_number(json_object_get(json_array_get(series, i), key));
	return known;
}

/* For a ramp or a staircase: the p99 at each achieved rate. */
static void
plot_knee(FILE *page, const json_t *result)
{
	const json_t *series = json_at(result, "series");
	const char *shape = json_text_at(result, "config.rate_shape");
	struct plot plot;

	if (count_known(series, "p99") < 3 ||
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

void
figures_write(FILE *page, const json_t *result, const json_t *base)
{
	plot_spectrum(page, result, base);
	plot_over_time(page, result);
	plot_knee(page, result);
	plot_hubs(page, result);
}
