/* The page of `report`: what was tested, verdict, tables, figures, notes and configuration, all
 * read from a result's JSON, not from memory, so a page can be made of a file of any age. A part
 * that the result lacks is left out. Text of the result is escaped (plot_escape). */
#include "tests/load/show/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/ask/units.h"
#include "tests/load/show/figures.h"
#include "tests/load/show/json_read.h"
#include "tests/load/show/outfile.h"
#include "tests/load/show/plot.h"

/* ---- numbers and words ---- */

static const char *
time_at(const json_t *json, const char *path, char text[static UNITS_TEXT_SIZE])
{
	return units_write_time(text, (int64_t)json_number_at(json, path, -1), UNITS_AUTO);
}

/* Seconds in the unit that suits them. */
static const char *
duration_at(const json_t *json, const char *path, char text[static UNITS_TEXT_SIZE])
{
	return units_write_time(text, (int64_t)(json_number_at(json, path, 0) * 1e9), UNITS_AUTO);
}

static bool
is_open_loop(const json_t *result)
{
	return strcmp(json_text_at(result, "config.mode"), "open") == 0;
}

/* Writes "1 thing" or "2 things". */
static void
write_things(FILE *page, double count, const char *thing)
{
	fprintf(page, "%.0f %s%s", count, thing, count == 1 ? "" : "s");
}

/* ---- what was tested ---- */

static void
write_messages(FILE *page, const json_t *config)
{
	size_t requests = json_array_size(json_at(config, "requests"));

	if (json_number_at(config, "churn", -1) == 0) {
		fputs("connect and close only", page);
		return;
	}
	if (requests > 0) {
		write_things(page, (double)requests, "request");
	} else {
		plot_escape(page, json_text_at(config, "size"));
		fputs(" B", page);
	}
	fputs(", reply ", page);
	plot_escape(page, json_text_at(config, "reply"));
}

static void
write_length(FILE *page, const json_t *config)
{
	double count = json_number_at(config, "count", 0);
	char text[UNITS_TEXT_SIZE];

	if (count > 0)
		write_things(page, count, "message");
	else
		fputs(duration_at(config, "duration_s", text), page);
	if (json_number_at(config, "warmup_s", 0) > 0)
		fprintf(page, " after %s of warm-up", duration_at(config, "warmup_s", text));
	if (json_number_at(config, "repeat", 1) > 1)
		fprintf(page, ", %.0f times", json_number_at(config, "repeat", 1));
}

static void
write_load(FILE *page, const json_t *result)
{
	const json_t *config = json_at(result, "config");

	fputs("<p>", page);
	if (is_open_loop(result)) {
		fputs("Open loop, ", page);
		plot_escape(page, json_text_at(config, "rate_shape"));
		fputs(" messages a second, ", page);
		plot_escape(page, json_text_at(config, "arrivals"));
	} else {
		fprintf(page, "Closed loop, %.0f in flight on each connection",
			json_number_at(config, "depth", 1));
	}
	fputs("; ", page);
	write_things(page, json_number_at(config, "connections", 0), "connection");
	if (json_is_true(json_at(config, "tls")))
		fputs(" by TLS", page);
	if (json_number_at(config, "idle", 0) > 0)
		fprintf(page, " and %.0f idle", json_number_at(config, "idle", 0));
	fputs("; ", page);
	write_messages(page, config);
	fputs("; ", page);
	write_length(page, config);
	fputs(".</p>\n", page);
}

/* ---- the verdict ---- */

static void
write_verdict(FILE *page, const json_t *result)
{
	const char *verdict = json_text_at(result, "verdict");
	const json_t *reasons = json_at(result, "generator.reasons");
	double errors = json_number_at(result, "errors.total", 0);
	bool has_p99 = json_is_number(json_at(result, "latency_ns.response.p99"));
	char rate[UNITS_TEXT_SIZE], slowest[UNITS_TEXT_SIZE];

	fprintf(page, "<div class=\"verdict%s\"><strong>",
		strcmp(verdict, "pass") == 0 ? "" : " bad");
	plot_escape(page, verdict);
	fprintf(page, "</strong>: %s replies a second, %s %s, ",
		units_write_count(rate, json_number_at(result, "load.achieved", 0)),
		has_p99 ? "p99" : "the slowest after",
		time_at(result, has_p99 ? "latency_ns.response.p99" : "latency_ns.response.max",
			slowest));
	write_things(page, errors, "error");
	fputs(", ", page);
	plot_escape(page, json_text_at(result, "started"));
	fputs("</div>\n", page);
	for (size_t i = 0; i < json_array_size(reasons); i++) {
		fputs("<p><strong>invalid:</strong> ", page);
		plot_escape(page, json_string_value(json_array_get(reasons, i)));
		fputs("</p>\n", page);
	}
	if (*json_text_at(result, "verify.first") != '\0') {
		fputs("<p><strong>first wrong reply:</strong> <code>", page);
		plot_escape(page, json_text_at(result, "verify.first"));
		fputs("</code></p>\n", page);
	}
}

/* ---- tables ---- */

/* The times that a result has, as columns: so the table is as narrow as a telephone. */
struct times {
	const char *keys[4], *names[4], *from[4];
	size_t count;
};

static struct times
find_times(const json_t *result)
{
	static const char *const keys[] = {"response", "service", "connect", "send_lag"},
				 *const names[] = {"response", "service", "connect", "send lag"},
				 *const from[] = {"from the intended send", "from the actual send",
					 "until it is open", "of the generator"};
	struct times times = {.count = 0};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		char path[64];

		snprintf(path, sizeof path, "latency_ns.%s.count", keys[i]);
		/* In a closed loop response and service are one. */
		if (json_number_at(result, path, 0) == 0 || (i == 1 && !is_open_loop(result)))
			continue;
		times.keys[times.count] = keys[i];
		times.names[times.count] = names[i];
		times.from[times.count++] =
			i == 0 && !is_open_loop(result) ? "from the send" : from[i];
	}
	return times;
}

static void
write_times(FILE *page, const json_t *result)
{
	static const char *const rows[][2] = {{"p50", "p50"}, {"p90", "p90"}, {"p99", "p99"},
		{"p99_9", "p99.9"}, {"p99_99", "p99.99"}, {"max", "max"}, {"count", "samples"}};
	struct times times = find_times(result);

	fputs("<table><tr><td></td>", page);
	for (size_t i = 0; i < times.count; i++)
		fprintf(page, "<th scope=\"col\">%s<br><small>%s</small></th>", times.names[i],
			times.from[i]);
	fputs("</tr>\n", page);
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		fprintf(page, "<tr><th scope=\"row\">%s</th>", rows[row][1]);
		for (size_t i = 0; i < times.count; i++) {
			char path[64], text[UNITS_TEXT_SIZE];

			snprintf(
				path, sizeof path, "latency_ns.%s.%s", times.keys[i], rows[row][0]);
			if (strcmp(rows[row][0], "count") == 0)
				fprintf(page, "<td>%.0f</td>", json_number_at(result, path, 0));
			else
				fprintf(page, "<td>%s</td>", time_at(result, path, text));
		}
		fputs("</tr>\n", page);
	}
	fputs("</table>\n", page);
}

static void
write_runs(FILE *page, const json_t *result)
{
	const json_t *runs = json_at(result, "runs"), *run;
	size_t i;

	if (json_array_size(runs) < 2)
		return;
	fputs("<h2>Runs</h2>\n<table><tr><th scope=\"col\">run</th><th scope=\"col\">replies/s"
	      "</th><th scope=\"col\">p50</th><th scope=\"col\">p99</th><th scope=\"col\">max</th>"
	      "<th scope=\"col\">errors</th></tr>\n",
		page);
	json_array_foreach(runs, i, run)
	{
		char rate[UNITS_TEXT_SIZE], p50[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE],
			max[UNITS_TEXT_SIZE];

		fprintf(page,
			"<tr><td>%zu</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%.0f"
			"</td></tr>\n",
			i + 1, units_write_count(rate, json_number_at(run, "achieved", 0)),
			time_at(run, "p50", p50), time_at(run, "p99", p99),
			time_at(run, "max", max), json_number_at(run, "errors", 0));
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
	else if (strcmp(json_text_at(gate, "unit"), "ns") == 0)
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
	fputs("<h2>Gates</h2>\n<table><tr><th scope=\"col\">fails if</th><th scope=\"col\">value"
	      "</th><td></td></tr>\n",
		page);
	json_array_foreach(gates, i, gate)
	{
		fputs("<tr><td><code>", page);
		plot_escape(page, json_text_at(gate, "expr"));
		write_gate_value(page, gate);
		fprintf(page, "</td><td>%s</td></tr>\n",
			json_is_true(json_at(gate, "ok")) ? "ok" : "breached");
	}
	fputs("</table>\n", page);
}

/* ---- how it was ---- */

static void
write_notes(FILE *page, const json_t *result)
{
	const json_t *notes = json_at(result, "generator.notes"),
		     *cpu = json_at(result, "generator.cpu_pct");
	char lag[UNITS_TEXT_SIZE];
	size_t i;
	const json_t *each;

	fputs("<h2>The generator</h2>\n<p>", page);
	if (json_is_number(json_at(result, "generator.lag_p99_ns")))
		fprintf(page, "send lag p99 %s; ", time_at(result, "generator.lag_p99_ns", lag));
	fputs("CPU of its threads:", page);
	json_array_foreach(cpu, i, each) fprintf(page, " %.0f %%", json_number_value(each));
	fputs("</p>\n", page);
	json_array_foreach(notes, i, each)
	{
		fputs("<p>note: ", page);
		plot_escape(page, json_string_value(each));
		fputs("</p>\n", page);
	}
}

/* Writes a word of a command line as a shell reads it back. */
static void
write_shell_word(FILE *page, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "@%+=:,./-_";
	char one[2] = "";

	if (*word != '\0' && word[strspn(word, plain)] == '\0') {
		fputs(word, page);
		return;
	}
	fputc('\'', page);
	for (; *word != '\0'; word++) {
		one[0] = *word;
		plot_escape(page, *word == '\'' ? "'\\''" : one);
	}
	fputc('\'', page);
}

static void
write_value(FILE *page, const json_t *value)
{
	char *text;

	if (json_is_string(value)) {
		plot_escape(page, json_string_value(value));
	} else if (json_is_real(value)) {
		fprintf(page, "%.10g", json_real_value(value));
	} else if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			fputs(i > 0 ? ", " : "", page);
			write_value(page, json_array_get(value, i));
		}
	} else {
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		plot_escape(page, text);
		free(text);
	}
}

static void
write_configuration(FILE *page, const json_t *result)
{
	const json_t *argv = json_at(result, "config.argv"), *argument, *value;
	const char *key;
	size_t i;

	fputs("<h2>Repeat it</h2>\n<pre>hubbub-load", page);
	json_array_foreach(argv, i, argument)
	{
		if (i == 0 || !json_is_string(argument))
			continue;
		fputc(' ', page);
		write_shell_word(page, json_string_value(argument));
	}
	fputs("</pre>\n<h2>Load and machine</h2>\n<table class=\"facts\">\n", page);
	for (int part = 0; part < 2; part++)
		json_object_foreach(json_at(result, part == 0 ? "config" : "env"), key, value)
		{
			bool is_empty = json_is_array(value) && json_array_size(value) == 0;

			if (strcmp(key, "argv") == 0 || json_is_null(value) || is_empty)
				continue;
			fputs("<tr><th scope=\"row\">", page);
			plot_escape(page, key);
			fputs("</th><td>", page);
			write_value(page, value);
			fputs("</td></tr>\n", page);
		}
	fputs("</table>\n<p class=\"soft\">hubbub-load ", page);
	plot_escape(page, json_text_at(result, "version"));
	fputs("</p>\n", page);
}

/* ---- the page ---- */

bool
page_write(const char *path, const json_t *result, const json_t *base)
{
	const char *target =
		json_string_value(json_array_get(json_at(result, "config.targets"), 0));
	FILE *page;
	char title[256];

	if (!plot_is_possible())
		return false;
	page = outfile_open(path);
	if (page == NULL)
		return false;
	snprintf(title, sizeof title, "Load on %s", target != NULL ? target : "?");
	plot_open_page(page, title);
	write_load(page, result);
	write_verdict(page, result);
	write_times(page, result);
	write_runs(page, result);
	write_gates(page, result);
	figures_write(page, result, base);
	write_notes(page, result);
	write_configuration(page, result);
	plot_close_page(page);
	return outfile_end(page, path);
}
