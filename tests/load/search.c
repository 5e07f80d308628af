/* First a closed loop, to know about how much the server can do; then rates between what held and
 * what did not, each an open loop, until the two are near. A try whose measurement is invalid
 * counts as one that did not hold: what this generator cannot measure, it cannot promise. */
#include "tests/load/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/load/commands.h"
#include "tests/load/complete.h"
#include "tests/load/json.h"
#include "tests/load/options.h"
#include "tests/load/run.h"

#define TRIES_MAX 24
#define NEAR 0.02 /* of the rate */

struct search {
	const struct load *load;
	json_t *tries;     /* as they go into the JSON */
	double held;       /* highest rate that held; 0: none */
	double broke;      /* lowest rate that did not; 0: none */
	int code;          /* that ends the search; LOAD_DONE: none */
	bool was_measured; /* a rate that did not hold, validly */
};

/* Runs once; rate 0 is the closed loop. Returns the result, or NULL. */
static struct result *
attempt(struct search *search, double rate)
{
	struct load load = *search->load;
	struct result *result;

	load.is_open = rate > 0;
	load.rate.form = PLAN_CONSTANT;
	load.rate.from = load.rate.to = rate;
	load.repeat = 1;
	load.allows_errors = true; /* the gate says what is allowed */
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
	/* It borrows this frame's. */
	result->load = search->load;
	return result;
}

static json_t *
time_or_null(const struct histogram *histogram, double share)
{
	return histogram->count == 0 ? json_null()
				     : json_integer(histogram_quantile(histogram, share));
}

static void
print_try(struct search *search, const struct result *result, double rate, const char *verdict)
{
	char wanted[UNITS_TEXT_SIZE], achieved[UNITS_TEXT_SIZE], p50[UNITS_TEXT_SIZE],
		p99[UNITS_TEXT_SIZE];
	const struct measurement *total = &result->total;

	if (!search->load->is_quiet)
		fprintf(stderr, "  %10s/s  achieved %10s/s  p50 %8s  p99 %8s  errors %llu  %s\n",
			rate > 0 ? units_write_count(wanted, rate) : "closed",
			units_write_count(achieved, measurement_rate(total)),
			units_write_time(
				p50, histogram_quantile(&total->response, 0.5), search->load->unit),
			units_write_time(p99, histogram_quantile(&total->response, 0.99),
				search->load->unit),
			(unsigned long long)measurement_errors(total), verdict);
	json_array_append_new(search->tries,
		json_pack("{s:o, s:f, s:o, s:o, s:I, s:s}", "rate",
			rate > 0 ? json_real(rate) : json_null(), "achieved",
			measurement_rate(total), "p50", time_or_null(&total->response, 0.5), "p99",
			time_or_null(&total->response, 0.99), "errors",
			(json_int_t)measurement_errors(total), "verdict", verdict));
}

/* Whether the rate held; an answer is also noted in the search. */
static bool
holds(struct search *search, double rate)
{
	struct result *result = attempt(search, rate);
	double value;
	bool is_time, held, is_valid;

	if (result == NULL)
		return false;
	is_valid = result->reason_count == 0;
	/* A server that falls behind keeps no gate: its queue only grows. */
	held = is_valid && gate_holds(&search->load->search, &result->total, &value, &is_time) &&
	       measurement_ratio(&result->total) >= 0.98;
	if (search->code == LOAD_DONE) {
		print_try(search, result, rate,
			held       ? "holds"
			: is_valid ? "does not hold"
				   : result->reasons[0]);
		if (held) {
			search->held = rate;
		} else {
			search->broke = rate;
			search->was_measured = search->was_measured || is_valid;
		}
	}
	result_free(result);
	return held;
}

/* About what the server can do; 0 if that cannot be told. */
static double
capacity(struct search *search)
{
	struct result *result = attempt(search, 0);
	double rate = 0;

	if (result != NULL && search->code == LOAD_DONE) {
		rate = measurement_rate(&result->total);
		print_try(search, result, 0, "to begin with");
	}
	result_free(result);
	return rate;
}

static void
bisect(struct search *search, double begin)
{
	double rate = begin;

	for (int i = 0; i < TRIES_MAX && search->code == LOAD_DONE && rate >= 1; i++) {
		holds(search, rate);
		if (search->held > 0 && search->broke > 0 &&
			search->broke - search->held <= NEAR * search->broke)
			return;
		if (search->held == 0)
			rate = search->broke / 2;
		else if (search->broke == 0)
			rate = search->held * 1.5;
		else
			rate = sqrt(search->held * search->broke);
		rate = floor(rate);
	}
}

static int
conclude(struct search *search)
{
	const struct load *load = search->load;
	FILE *stream = load->output != NULL && strcmp(load->output, "-") == 0 ? stderr : stdout;
	char rate[UNITS_TEXT_SIZE];
	json_t *json;
	int code = search->code;

	if (code == LOAD_DONE && search->held == 0)
		code = LOAD_BREACHED;
	if (code == LOAD_DONE)
		fprintf(stream, "highest rate that keeps %s: %s/s%s\n", load->search.text,
			units_write_whole(rate, (uint64_t)search->held),
			search->broke > 0 && !search->was_measured
				? "; above it this generator cannot measure"
				: "");
	else if (code > LOAD_SIGNALLED && search->held == 0)
		fprintf(stream, "interrupted; no rate keeps %s so far\n", load->search.text);
	else if (code > LOAD_SIGNALLED)
		fprintf(stream, "interrupted; %s/s keeps %s so far\n",
			units_write_whole(rate, (uint64_t)search->held), load->search.text);
	else if (code == LOAD_BREACHED)
		fprintf(stream, "no rate keeps %s\n", load->search.text);
	if (load->output != NULL) {
		json = json_pack("{s:i, s:s, s:s, s:s, s:o, s:O}", "schema_version",
			JSON_SCHEMA_VERSION, "tool", "hubbub-load search", "version",
			HUBBUB_VERSION, "expr", load->search.text, "rate",
			search->held > 0 ? json_real(search->held) : json_null(), "tries",
			search->tries);
		if (!json_write(json, load->output) && code == LOAD_DONE)
			code = LOAD_FAILED;
		json_decref(json);
	}
	return code;
}

int
search_run(const struct load *load)
{
	struct search search = {.load = load, .tries = json_array()};
	double most;
	int code;

	run_handle_signals();
	if (!load->is_quiet)
		fprintf(stderr, "the highest rate to %s that keeps %s, by runs of %.4g s:\n",
			load->target_text[0], load->search.text, (double)load->duration / 1e9);
	most = capacity(&search);
	if (search.code == LOAD_DONE && most > 0) {
		bisect(&search, floor(0.8 * most));
	} else if (search.code == LOAD_DONE) {
		fprintf(stderr,
			"hubbub-load: nothing was answered in a closed loop, so there is no "
			"rate to begin with\n");
		search.code = LOAD_INVALID;
	}
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
