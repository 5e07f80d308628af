/* The report for people. Each print_ function writes one part, and nothing if the result has
 * nothing for it. Percentiles of too few samples are shown as "-". */
#include "tests/load/show/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/load/show/wrap.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

bool
text_has_color(const struct load *load, FILE *stream)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"),
		   *terminal = getenv("TERM");

	if (load->color != LOAD_COLOR_AUTO)
		return load->color == LOAD_COLOR_ALWAYS;
	if (no != NULL && *no != '\0')
		return false;
	if (force != NULL && *force != '\0' && strcmp(force, "0") != 0)
		return true;
	return isatty(fileno(stream)) && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

/* How the stream shows a report. */
struct look {
	bool has_color;
	unsigned width; /* columns of its terminal; 0: none */
};

static const char *
color(const struct look *look, const char *code)
{
	return look->has_color ? code : "";
}

/* ---- before ---- */

static void
describe_messages(FILE *stream, const struct load *load)
{
	if (load->requests->count > 0)
		fprintf(stream, "  %u request%s", load->requests->count,
			load->requests->count == 1 ? "" : "s");
	else
		fprintf(stream, "  %s B", load->sizes_text);
	if (load->reply.kind == REPLY_ECHO)
		fprintf(stream, " %s", load->verify == MESSAGE_NONE ? "not verified" : "verified");
	else
		fprintf(stream, ", replies %s", load->reply_text);
}

static void
describe(FILE *stream, const struct progress *progress)
{
	const struct load *load = progress->load;
	const struct tally *tally = &progress->whole->tally;
	char duration[UNITS_TEXT_SIZE], warmup[UNITS_TEXT_SIZE];

	fprintf(stream, "hubbub-load %s  %s%s  %u connection%s (%llu open)", HUBBUB_VERSION,
		load->target_text[0], load->target_count > 1 ? " and more" : "", load->connections,
		load->connections == 1 ? "" : "s", (unsigned long long)tally->opened);
	if (load->idle > 0)
		fprintf(stream, " + %u idle (%llu open)", load->idle,
			(unsigned long long)tally->idle_opened);
	fprintf(stream, "  %u x %u thread%s  ", load->processes, load->threads,
		load->threads == 1 ? "" : "s");
	if (load->is_open)
		fprintf(stream, "open loop %s/s %s", load->rate_text, load->arrivals_text);
	else
		fprintf(stream, "closed loop depth %u", load->depth);
	if (load->churn == 0)
		fprintf(stream, "  connect and close only");
	else
		describe_messages(stream, load);
	if (load->count != 0)
		fprintf(stream, "  %llu message%s", (unsigned long long)load->count,
			load->count == 1 ? "" : "s");
	else
		fprintf(stream, "  %s", units_write_time(duration, load->duration, UNITS_AUTO));
	if (load->warmup > 0)
		fprintf(stream, " + %s warm-up",
			units_write_time(warmup, load->warmup, UNITS_AUTO));
	if (load->source_count > 0)
		fprintf(stream, "  from %u source address%s", load->source_count,
			load->source_count > 1 ? "es" : "");
	fputc('\n', stream);
}

void
text_describe(FILE *stream, const struct progress *progress)
{
	struct wrap wrap;

	describe(wrap_begin(&wrap, stream), progress);
	wrap_end(&wrap);
}

/* ---- meanwhile ---- */

void
text_columns(FILE *stream)
{
	fprintf(stream, "%8s %10s %10s %9s %8s %8s %8s %8s %6s %8s\n", "t", "offered", "achieved",
		"inflight", "p50", "p99", "p99.9", "max", "err", "lag99");
}

void
text_interval(FILE *stream, const struct load *load, const struct interval *interval)
{
	const struct summary *summary = &interval->summary;
	char offered[UNITS_TEXT_SIZE], achieved[UNITS_TEXT_SIZE], times[5][UNITS_TEXT_SIZE];
	const int64_t values[5] = {
		summary->p50, summary->p99, summary->p99_9, summary->max, interval->lag_p99};

	for (int i = 0; i < 5; i++)
		units_write_time(times[i], values[i], load->unit);
	fprintf(stream, "%7.4gs %10s %10s %9llu %8s %8s %8s %8s %6llu %8s\n", interval->t,
		units_write_count(offered, summary->offered),
		units_write_count(achieved, summary->achieved),
		(unsigned long long)interval->in_flight, times[0], times[1], times[2], times[3],
		(unsigned long long)summary->errors, times[4]);
}

/* ---- after ---- */

static void
print_headline(FILE *stream, const struct look *look, const struct result *result)
{
	static const struct {
		const char *verdict;
		const char *word;
	} words[] = {{"pass", "PASS"}, {"error", "ERROR"}, {"fail", "FAIL"}, {"invalid", "INVALID"},
		{"corrupt", "CORRUPT"}, {"interrupted", "INTERRUPTED"}};
	const struct load *load = result->load;
	const struct measurement *total = &result->total;
	const char *verdict = result_verdict(result), *word = verdict;
	char messages[UNITS_TEXT_SIZE], out[UNITS_TEXT_SIZE], in[UNITS_TEXT_SIZE];

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].verdict, verdict) == 0)
			word = words[i].word;
	fprintf(stream, "Result: %s%s%s%s", color(look, BOLD),
		color(look, result->code == LOAD_DONE ? GREEN : RED), word, color(look, PLAIN));
	fprintf(stream, "    %.4g s, %s %s, %s out, %s in\n", total->seconds,
		units_write_whole(messages, total->tally.received),
		load->churn == 0 ? "connects" : "messages",
		units_write_bytes(out, (double)total->tally.bytes_sent),
		units_write_bytes(in, (double)total->tally.bytes_received));
}

/* A rate below 100 keeps its decimals. */
static const char *
write_rate(char text[static UNITS_TEXT_SIZE], double rate)
{
	if (rate >= 100)
		return units_write_whole(text, (uint64_t)(rate + 0.5));
	snprintf(text, UNITS_TEXT_SIZE, "%.4g", rate);
	return text;
}

static void
print_protocols(FILE *stream, const struct load *load, const struct tally *tally)
{
	if (load->alpn[0] == NULL)
		return;
	fprintf(stream, "  TLS handshakes that agreed on a protocol:");
	for (unsigned i = 0; load->alpn[i] != NULL; i++)
		fprintf(stream, "%s %llu %s", i > 0 ? "," : "",
			(unsigned long long)tally->agreed[i + 1], load->alpn[i]);
	fprintf(stream, ", %llu none\n", (unsigned long long)tally->agreed[0]);
}

static void
print_rates(FILE *stream, const struct result *result)
{
	const struct load *load = result->load;
	const struct measurement *total = &result->total;
	const struct tally *tally = &total->tally;
	double offered = result_offered(result), achieved = result_achieved(result);
	char a[UNITS_TEXT_SIZE], b[UNITS_TEXT_SIZE];

	fprintf(stream, "  ");
	if (load->is_open)
		fprintf(stream, "offered %s/s   ", write_rate(a, offered));
	fprintf(stream, "achieved %s/s", write_rate(b, achieved));
	if (load->is_open && offered > 0)
		fprintf(stream, " (%.2f %%)", 100 * achieved / offered);
	fprintf(stream, "   connections %llu asked, %llu open, %llu alive at end\n",
		(unsigned long long)load->connections * result->run_count,
		(unsigned long long)tally->opened, (unsigned long long)tally->alive_end);
	if (load->idle > 0)
		fprintf(stream,
			"  idle connections %llu asked, %llu open, %llu answered at the end\n",
			(unsigned long long)load->idle * result->run_count,
			(unsigned long long)tally->idle_opened,
			(unsigned long long)tally->idle_alive);
	if (tally->idle_reconnects > 0)
		fprintf(stream, "  idle connections opened again %s\n",
			units_write_whole(a, tally->idle_reconnects));
	if (tally->reconnects > 0)
		fprintf(stream, "  reconnects %s\n", units_write_whole(a, tally->reconnects));
	print_protocols(stream, load, tally);
	if (tally->lost + tally->shed + tally->expired + tally->unsent > 0)
		fprintf(stream,
			"  messages without a reply: %llu lost, %llu shed, %llu past their "
			"deadline, "
			"%llu never sent\n",
			(unsigned long long)tally->lost, (unsigned long long)tally->shed,
			(unsigned long long)tally->expired, (unsigned long long)tally->unsent);
}

/* ---- the table ---- */

#define NAME_WIDTH 16
#define CELL_WIDTH 9

/* The columns of the table: percentiles, and the largest value behind the last of them. */
struct part {
	unsigned first, end; /* of load's percentiles, and one more */
};

static void
print_cells(
	FILE *stream, const struct load *load, struct part part, const struct histogram *histogram)
{
	char text[UNITS_TEXT_SIZE];

	for (unsigned i = part.first; i < part.end; i++) {
		int64_t value;

		if (i < load->percentile_count)
			value = histogram_percentile(histogram, load->percentiles[i] / 100);
		else
			value = histogram->count > 0 ? histogram->max : -1;
		fprintf(stream, " %*s", CELL_WIDTH - 1, units_write_time(text, value, load->unit));
	}
}

/* Prints a row; what the times are about is behind its last cell, or below it. */
static void
print_row(FILE *stream, const struct look *look, const struct load *load, struct part part,
	const char *name, const struct histogram *histogram, const char *about)
{
	unsigned width = NAME_WIDTH + CELL_WIDTH * (part.end - part.first);
	bool is_last = part.end == load->percentile_count + 1;
	bool fits = look->width == 0 || width + 3 + strlen(about) <= look->width;

	fprintf(stream, "  %-*s", NAME_WIDTH - 2, name);
	print_cells(stream, load, part, histogram);
	fprintf(stream, "%s%s\n", is_last ? (fits ? "   " : "\n    ") : "", is_last ? about : "");
}

static void
print_part(FILE *stream, const struct look *look, const struct result *result, struct part part)
{
	const struct load *load = result->load;
	const struct measurement *total = &result->total;
	char samples[UNITS_TEXT_SIZE + 16], count[UNITS_TEXT_SIZE], head[16];

	fprintf(stream, "%*s", NAME_WIDTH, "");
	for (unsigned i = part.first; i < part.end; i++) {
		if (i < load->percentile_count)
			snprintf(head, sizeof head, "p%.7g", load->percentiles[i]);
		else
			snprintf(head, sizeof head, "max");
		fprintf(stream, " %*s", CELL_WIDTH - 1, head);
	}
	fputc('\n', stream);
	print_row(stream, look, load, part, "response time", &total->response,
		load->is_open ? "from intended send (use this one)" : "from send");
	if (load->is_open)
		print_row(stream, look, load, part, "service time", &total->service,
			"from actual send");
	snprintf(samples, sizeof samples, "%s sample%s",
		units_write_whole(count, total->connect.count),
		total->connect.count == 1 ? "" : "s");
	print_row(stream, look, load, part, "connect time", &total->connect, samples);
}

/* Prints the table; on a narrow terminal in several parts. */
static void
print_table(FILE *stream, const struct look *look, const struct result *result)
{
	unsigned columns = result->load->percentile_count + 1, fitting = columns;

	if (look->width > 0)
		fitting = look->width > NAME_WIDTH + CELL_WIDTH
				  ? (look->width - NAME_WIDTH) / CELL_WIDTH
				  : 1;
	for (struct part part = {0}; part.first < columns; part.first = part.end) {
		part.end = part.first + fitting < columns ? part.first + fitting : columns;
		print_part(stream, look, result, part);
	}
}

/* ---- the rest ---- */

static void
print_verification(FILE *stream, const struct look *look, const struct result *result)
{
	const struct tally *tally = &result->total.tally;
	char errors[512], checked[UNITS_TEXT_SIZE];

	fprintf(stream, "  errors: %s", result_errors(&result->total, errors, sizeof errors));
	if (result->load->verify == MESSAGE_NONE || result->load->churn == 0)
		fprintf(stream, "       not verified\n");
	else
		fprintf(stream, "       verified: %s (%s), %llu wrong\n",
			units_write_whole(checked, tally->checked),
			result->load->reply.kind == REPLY_ECHO
				? message_verify_names[result->load->verify]
				: result->load->reply_text,
			(unsigned long long)measurement_faults(&result->total));
	if (measurement_faults(&result->total) == 0)
		return;
	fprintf(stream, "  %swrong replies:", color(look, RED));
	for (int i = 0; i < MESSAGE_FAULT_MAX; i++)
		if (tally->faults[i] > 0)
			fprintf(stream, " %llu %s", (unsigned long long)tally->faults[i],
				message_fault_names[i]);
	fprintf(stream, "%s\n", color(look, PLAIN));
	if (result->offence[0] != '\0')
		fprintf(stream, "  first: %s\n", result->offence);
}

static void
print_generator(FILE *stream, const struct look *look, const struct result *result)
{
	const struct load *load = result->load;
	char lag[UNITS_TEXT_SIZE];

	fprintf(stream, "  generator: ");
	if (load->is_open)
		fprintf(stream, "lag p99 %s, ",
			units_write_time(
				lag, histogram_quantile(&result->total.lag, 0.99), load->unit));
	fprintf(stream, "cpu %.0f %% of the busiest of %u thread%s%s, %s\n",
		100 * result_cpu(result), result->cpu_count, result->cpu_count == 1 ? "" : "s",
		load->is_open ? " (it spins before a message is due)" : "",
		result->reason_count == 0 ? "ok" : "NOT VALID");
	for (unsigned i = 0; i < result->reason_count; i++)
		fprintf(stream, "  %sinvalid:%s %s\n", color(look, RED), color(look, PLAIN),
			result->reasons[i]);
	for (unsigned i = 0; i < result->cpu_count && load->is_verbose; i++)
		fprintf(stream, "    thread %u: cpu %.0f %%\n", i, 100 * result->cpu[i]);
}

static void
print_gates(FILE *stream, const struct result *result)
{
	if (result->signal != 0) {
		fprintf(stream, "  gates: not evaluated, because the run was interrupted\n");
		return;
	}
	for (unsigned i = 0; i < result->gate_count; i++) {
		const struct gate_result *gate = &result->gates[i];
		char value[UNITS_TEXT_SIZE];

		if (gate->is_time || gate->value < 0)
			units_write_time(value, (int64_t)gate->value, UNITS_AUTO);
		else
			snprintf(value, sizeof value, "%.6g", gate->value);
		fprintf(stream, "%s%s %s (%s)%s", i == 0 ? "  gates: " : "   ", gate->gate->text,
			gate->is_ok ? "ok" : "BREACHED", value,
			i + 1 == result->gate_count ? "\n" : "");
	}
	if (result->has_errors)
		fprintf(stream, "  failed: there were errors (--allow-errors accepts them)\n");
	if (result->aborted[0] != '\0')
		fprintf(stream, "  aborted: %s held for 3 intervals in a row\n", result->aborted);
}

static void
print_runs(FILE *stream, const struct result *result)
{
	char rate[UNITS_TEXT_SIZE], p50[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE];

	if (result->run_count < 2)
		return;
	for (unsigned i = 0; i < result->run_count; i++)
		fprintf(stream,
			"  run %-2u        achieved %9s/s   p50 %s   p99 %s   errors %llu\n", i + 1,
			units_write_count(rate, result->runs[i].summary.achieved),
			units_write_time(p50, result->runs[i].summary.p50, result->load->unit),
			units_write_time(p99, result->runs[i].summary.p99, result->load->unit),
			(unsigned long long)result->runs[i].summary.errors);
}

static void
print_advice(FILE *stream, const struct result *result)
{
	const struct load *load = result->load;

	for (unsigned i = 0; i < result->note_count; i++)
		fprintf(stream, "  note: %s\n", result->notes[i]);
	if (result->code == LOAD_DONE && load->output == NULL && result->merged == NULL &&
		load->connections > 0 && load->target_count == 1 && load->churn < 0 &&
		load->requests->count == 0)
		fprintf(stream,
			"Next: hubbub-load search 'p99<2ms' %s   save: -o run.json, plot: "
			"hubbub-load "
			"report run.json\n",
			load->target_text[0]);
}

static void
print_report(FILE *stream, const struct look *look, const struct result *result)
{
	print_headline(stream, look, result);
	if (result->trouble[0] != '\0')
		fprintf(stream, "  %s\n", result->trouble);
	if (result->failure[0] != '\0')
		fprintf(stream, "  %s\n", result->failure);
	if (result->trouble[0] != '\0' && result->total.tally.received == 0)
		return;
	print_rates(stream, result);
	if (result->load->connections > 0)
		print_table(stream, look, result);
	print_verification(stream, look, result);
	print_generator(stream, look, result);
	print_runs(stream, result);
	print_gates(stream, result);
	print_advice(stream, result);
}

void
text_report(FILE *stream, const struct result *result)
{
	struct wrap wrap;
	FILE *paper = wrap_begin(&wrap, stream);
	struct look look = {text_has_color(result->load, stream), wrap.width};

	print_report(paper, &look, result);
	wrap_end(&wrap);
}
