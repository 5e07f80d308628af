/* A closed loop first, to learn about how much the server can do; then open loops at rates that the
 * bisection chooses, until what held and what did not are near each other. Each try is a run of its
 * own, with the gate as the only judge of errors. */
#include "tests/load/run/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/load/ask/complete.h"
#include "tests/load/ask/options.h"
#include "tests/load/run/bisection.h"
#include "tests/load/run/commands.h"
#include "tests/load/run/preflight.h"
#include "tests/load/run/run.h"
#include "tests/load/show/json.h"

#define KEPT_UP 0.98      /* share of due messages that must be answered, whatever the goal */
#define SHARE_OF_MOST 0.8 /* first rate, as a share of a closed loop's */

struct search {
	const struct load *load;
	json_t *tries; /* all tries, as they go into the JSON */
	struct bisection bisection;
	int code; /* exit code that ends the search; LOAD_DONE: it goes on */
};

/* Makes one run; rate 0 means the closed loop. Returns its result, or NULL if there is no
 * memory. */
static struct result *
attempt(struct search *search, double rate)
{
	struct load load = *search->load;
	struct result *result;

	load.is_open = rate > 0;
	load.rate.form = PLAN_CONSTANT;
	load.rate.from = load.rate.to = rate;
	load.repeat = 1;
	load.allows_errors = true; /* the goal says what is allowed */
	load.depth = 1;
	snprintf(load.rate_text, sizeof load.rate_text, "%.0f", rate);
	result = run_load(&load, NULL);
	if (result == NULL) {
		fprintf(stderr, "hubbub-load: no memory\n");
		search->code = LOAD_FAILED;
		return NULL;
	}
	if (result->trouble[0] != '\0')
		fprintf(stderr, "hubbub-load: %s\n", result->trouble);
	if (result->code == LOAD_FAILED || result->code == LOAD_CORRUPT || result->signal != 0)
		search->code = result->code;
	if (result->code == LOAD_CORRUPT)
		fprintf(stderr, "hubbub-load: wrong reply: %s\n", result->offence);
	/* The result borrows this function's copy of the load. */
	result->load = search->load;
	return result;
}

static json_t *
time_or_null(const struct histogram *histogram, double share)
{
	int64_t time = histogram_percentile(histogram, share);

	return time == -1 ? json_null() : json_integer(time);
}

static void
print_try(struct search *search, const struct result *result, double rate, const char *verdict)
{
	char wanted[UNITS_TEXT_SIZE], achieved[UNITS_TEXT_SIZE], p50[UNITS_TEXT_SIZE],
		p99[UNITS_TEXT_SIZE];
	const struct measurement *total = &result->total;
	double reached = measurement_rate(total);

	if (rate > 0)
		reached = fmin(reached, result_offered(result));
	if (!search->load->is_quiet)
		fprintf(stderr, "  %10s/s  achieved %10s/s  p50 %8s  p99 %8s  errors %llu  %s\n",
			rate > 0 ? units_write_count(wanted, rate) : "closed",
			units_write_count(achieved, reached),
			units_write_time(p50, histogram_percentile(&total->response, 0.5),
				search->load->unit),
			units_write_time(p99, histogram_percentile(&total->response, 0.99),
				search->load->unit),
			(unsigned long long)measurement_errors(total), verdict);
	json_array_append_new(
		search->tries, json_pack("{s:o, s:f, s:o, s:o, s:I, s:s}", "rate",
				       rate > 0 ? json_real(rate) : json_null(), "achieved",
				       reached, "p50", time_or_null(&total->response, 0.5), "p99",
				       time_or_null(&total->response, 0.99), "errors",
				       (json_int_t)measurement_errors(total), "verdict", verdict));
}

static enum bisection_outcome
judge(const struct search *search, const struct result *result)
{
	double value;
	bool is_time;

	/* A server that answered nothing has failed for certain, though the measurement is
	 * invalid. */
	if (result->reason_count > 0 && result->failure[0] == '\0')
		return BISECTION_INVALID;
	/* A server that falls behind keeps no goal: its queue only grows. */
	return gate_holds(&search->load->search, &result->total, &value, &is_time) &&
			       measurement_ratio(&result->total) >= KEPT_UP
		       ? BISECTION_HELD
		       : BISECTION_BROKE;
}

/* Tries the next rate, and notes the outcome. */
static void
try_next(struct search *search)
{
	double rate = search->bisection.rate;
	struct result *result = attempt(search, rate);
	enum bisection_outcome outcome;
	char verdict[RESULT_TEXT_SIZE + 16];

	if (result != NULL && search->code == LOAD_DONE) {
		outcome = judge(search, result);
		snprintf(verdict, sizeof verdict, "%s%s",
			outcome == BISECTION_HELD    ? "holds"
			: outcome == BISECTION_BROKE ? "does not hold"
						     : "not valid: ",
			outcome == BISECTION_INVALID ? result->reasons[0] : "");
		print_try(search, result, rate, verdict);
		bisection_note(&search->bisection, outcome);
	}
	result_free(result);
}

/* Measures about how much the server can do, in messages per second. If that fails, sets the code
 * that ends the search. */
static double
capacity(struct search *search)
{
	struct result *result = attempt(search, 0);
	double rate = 0;

	if (result != NULL && search->code == LOAD_DONE) {
		rate = measurement_rate(&result->total);
		print_try(search, result, 0, "to begin with");
		if (rate == 0) {
			fprintf(stderr, "hubbub-load: in a closed loop: %s\n",
				result->failure[0] != '\0' ? result->failure
				: result->reason_count > 0 ? result->reasons[0]
							   : "nothing was answered");
			search->code = result->failure[0] != '\0' ? LOAD_BREACHED : LOAD_INVALID;
		}
	}
	result_free(result);
	return rate;
}

/* Prints what was found. Returns the exit code. */
static int
print_answer(FILE *stream, const struct search *search)
{
	const struct bisection *bisection = &search->bisection;
	const char *goal = search->load->search.text;
	char held[UNITS_TEXT_SIZE], broke[UNITS_TEXT_SIZE], least[UNITS_TEXT_SIZE];

	units_write_whole(held, (uint64_t)bisection->held);
	units_write_whole(broke, (uint64_t)bisection->broke);
	units_write_whole(least, (uint64_t)bisection->least);
	switch (bisection_answer(bisection)) {
	case BISECTION_FOUND:
		fprintf(stream, "highest rate that keeps %s: %s/s\n", goal, held);
		return LOAD_DONE;
	case BISECTION_NONE:
		fprintf(stream, "no rate keeps %s%s%s%s\n", goal,
			bisection->least > 1 ? " (a rate below " : "",
			bisection->least > 1 ? least : "",
			bisection->least > 1 ? "/s has too few messages to tell)" : "");
		return LOAD_BREACHED;
	case BISECTION_AT_LEAST:
		fprintf(stream,
			"at least %s/s keeps %s%s%s%s; above it this generator cannot "
			"measure\n",
			held, goal, bisection->broke > 0 ? ", " : "",
			bisection->broke > 0 ? broke : "",
			bisection->broke > 0 ? "/s does not" : "");
		return LOAD_INVALID;
	default:
		fprintf(stream,
			"cannot tell: this generator could measure no rate that keeps "
			"%s%s%s%s; longer runs (--duration) or another machine may "
			"help\n",
			goal, bisection->broke > 0 ? " (" : "", bisection->broke > 0 ? broke : "",
			bisection->broke > 0 ? "/s does not)" : "");
		return LOAD_INVALID;
	}
}

static int
conclude(struct search *search)
{
	const struct load *load = search->load;
	const struct bisection *bisection = &search->bisection;
	FILE *stream = load->output != NULL && strcmp(load->output, "-") == 0 ? stderr : stdout;
	char rate[UNITS_TEXT_SIZE];
	json_t *json;
	int code = search->code;

	if (code == LOAD_DONE)
		code = print_answer(stream, search);
	else if (bisection->held > 0)
		fprintf(stream, "%s; %s/s keeps %s so far\n",
			code > LOAD_SIGNALLED ? "interrupted" : "ended",
			units_write_whole(rate, (uint64_t)bisection->held), load->search.text);
	else if (code > LOAD_SIGNALLED)
		fprintf(stream, "interrupted; no rate keeps %s so far\n", load->search.text);
	else if (code == LOAD_BREACHED)
		fprintf(stream, "no rate keeps %s\n", load->search.text);
	if (load->output == NULL)
		return code;
	json = json_pack("{s:i, s:s, s:s, s:s, s:o, s:s, s:i, s:O}", "schema_version",
		JSON_SCHEMA_VERSION, "tool", "hubbub-load search", "version", HUBBUB_VERSION,
		"expr", load->search.text, "rate",
		bisection->held > 0 ? json_real(bisection->held) : json_null(), "answer",
		bisection_answer_names[bisection_answer(bisection)], "exit_code", code, "tries",
		search->tries);
	if (!json_write(json, load->output) && code == LOAD_DONE)
		code = LOAD_FAILED;
	json_decref(json);
	return code;
}

int
search_run(const struct load *load)
{
	struct search search = {.load = load, .tries = json_array()};
	double most, least = 1;
	int code;

	run_handle_signals();
	if (!load->is_quiet)
		preflight_warn(load);
	if (!load->is_quiet)
		fprintf(stderr, "the highest rate to %s that keeps %s, by runs of %.4g s:\n",
			load->target_text[0], load->search.text, (double)load->duration / 1e9);
	if (load->duration != LOAD_NEVER)
		least = fmax(1, ceil(gate_samples(&load->search) * 1e9 / (double)load->duration));
	most = capacity(&search);
	bisection_begin(&search.bisection, SHARE_OF_MOST * most, least);
	while (search.code == LOAD_DONE && search.bisection.rate > 0)
		try_next(&search);
	code = conclude(&search);
	json_decref(search.tries);
	return code;
}

int
command_search(int argc, char **argv)
{
	struct load load;

	options_parse(&load, argc, argv, OPTIONS_SEARCH);
	complete_load(&load);
	return search_run(&load);
}
