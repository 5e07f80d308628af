#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/ask/load.h"
#include "tests/load/ask/random.h"
#include "tests/load/run/compare.h"

#define SAMPLES 12

static void
draw(double *samples, double median, double spread, uint64_t seed)
{
	uint64_t random = random_seed(seed, 0);

	for (int i = 0; i < SAMPLES; i++)
		samples[i] = median * (1 + spread * (random_unit(&random) - 0.5));
}

Test(compare, the_bounds_hold_the_true_ratio_about_as_often_as_they_say)
{
	int inside = 0;

	for (uint64_t trial = 0; trial < 200; trial++) {
		double base[SAMPLES], new[SAMPLES];
		struct compare_ratio ratio;

		draw(base, 100, 0.4, 2 * trial);
		draw(new, 120, 0.4, 2 * trial + 1);
		ratio = compare_medians(base, SAMPLES, new, SAMPLES, trial);
		cr_assert_leq(ratio.low, ratio.ratio);
		cr_assert_geq(ratio.high, ratio.ratio);
		inside += ratio.low <= 1.2 && 1.2 <= ratio.high;
	}
	/* 190 of 200 on average; the seeds are fixed. */
	cr_assert_geq(inside, 180, "%d", inside);
}

static json_t *
result_of(double rate, double p99, double spread, uint64_t seed)
{
	double rates[SAMPLES], times[SAMPLES];
	json_t *runs = json_array();

	draw(rates, rate, spread, seed);
	draw(times, p99, spread, seed + 100);
	for (int i = 0; i < SAMPLES; i++)
		json_array_append_new(runs, json_pack("{s:f, s:f, s:f, s:f, s:f}", "achieved",
						    rates[i], "p50", times[i] / 3, "p99", times[i],
						    "p99_9", times[i] * 2, "max", times[i] * 3));
	return json_pack(
		"{s:s, s:o, s:[], s:{}}", "verdict", "pass", "runs", runs, "series", "config");
}

/* The exit code, and whether text is printed. */
static int
compare(json_t *base, json_t *new, const char *text)
{
	char *printed = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&printed, &size);
	int code = compare_results(stream, base, new, "a", "b", 0.05);

	fclose(stream);
	cr_assert_not_null(strstr(printed, text), "%s", printed);
	free(printed);
	json_decref(base);
	json_decref(new);
	return code;
}

Test(compare, verdicts)
{
	cr_assert_eq(compare(result_of(1000, 5e6, 0.02, 1), result_of(1000, 5e6, 0.02, 2),
			     "verdict: unchanged"),
		LOAD_DONE);
	cr_assert_eq(compare(result_of(1000, 5e6, 0.02, 1), result_of(1000, 8e6, 0.02, 2),
			     "verdict: regressed"),
		LOAD_BREACHED);
	cr_assert_eq(compare(result_of(1000, 5e6, 0.02, 1), result_of(800, 5e6, 0.02, 2),
			     "verdict: regressed"),
		LOAD_BREACHED);
	cr_assert_eq(compare(result_of(1000, 5e6, 0.02, 1), result_of(1200, 4e6, 0.02, 2),
			     "verdict: improved"),
		LOAD_DONE);
	cr_assert_eq(compare(result_of(1000, 5e6, 0.02, 1), result_of(1200, 8e6, 0.02, 2),
			     "verdict: mixed"),
		LOAD_BREACHED);
	cr_assert_eq(
		compare(result_of(1000, 5e6, 1.5, 1), result_of(1000, 5.6e6, 1.5, 2), "uncertain"),
		LOAD_DONE);
}

/* Medians that are as good as the same, of runs that are far apart. */
Test(compare, no_change_is_seen_in_a_wide_spread_but_none_is_denied)
{
	cr_assert_eq(compare(result_of(1000, 5e6, 1.5, 1), result_of(1000, 5e6, 1.5, 1),
			     "verdict: uncertain"),
		LOAD_DONE);
}

/* Twice the throughput is sure, and the times may be anything. */
Test(compare, what_improved_for_sure_is_not_denied_by_what_is_uncertain)
{
	json_t *base = result_of(1000, 5e6, 1.5, 1), *new = result_of(1000, 5.6e6, 1.5, 2);
	json_t *run;
	size_t i;

	json_array_foreach(json_object_get(base, "runs"), i, run)
		json_object_set_new(run, "achieved", json_real(1000 + (double)i));
	json_array_foreach(json_object_get(new, "runs"), i, run)
		json_object_set_new(run, "achieved", json_real(2000 + (double)i));
	cr_assert_eq(compare(base, new, "verdict: improved, but"), LOAD_DONE);
}

/* Nobody answered for a third of the time, and the rest was as fast as ever. */
Test(compare, silence_is_a_regression)
{
	json_t *stalled = result_of(1000, 5e6, 0.02, 2);

	for (size_t i = 0; i < SAMPLES / 3; i++) {
		json_t *run = json_array_get(json_object_get(stalled, "runs"), i);

		json_object_set_new(run, "p50", json_null());
		json_object_set_new(run, "p99", json_null());
		json_object_set_new(run, "p99_9", json_null());
		json_object_set_new(run, "max", json_null());
		json_object_set_new(run, "achieved", json_real(0));
	}
	cr_assert_eq(compare(result_of(1000, 5e6, 0.02, 1), stalled, "verdict: regressed"),
		LOAD_BREACHED);
}

/* Runs of a low rate have a median, and no 99.9th percentile. */
Test(compare, a_percentile_of_too_few_replies_is_left_out)
{
	json_t *base = result_of(1000, 5e6, 0.02, 1), *new = result_of(1000, 9e6, 0.02, 2), *run;
	size_t i;

	json_array_foreach(json_object_get(base, "runs"), i, run)
		json_object_set_new(run, "p99_9", json_null());
	cr_assert_eq(compare(base, new, "p99.9        left out: too few"), LOAD_BREACHED);
}

Test(compare, without_enough_samples_or_a_valid_result_there_is_no_verdict)
{
	json_t *few = result_of(1000, 5e6, 0.02, 1), *invalid = result_of(1000, 5e6, 0.02, 1);

	while (json_array_size(json_object_get(few, "runs")) > 4)
		json_array_remove(json_object_get(few, "runs"), 0);
	cr_assert_eq(compare(few, result_of(1000, 5e6, 0.02, 2), "--repeat=5"), LOAD_INVALID);
	json_object_set_new(invalid, "verdict", json_string("invalid"));
	cr_assert_eq(compare(result_of(1000, 5e6, 0.02, 1), invalid, "b is invalid"), LOAD_INVALID);
	invalid = result_of(1000, 5e6, 0.02, 1);
	json_object_set_new(invalid, "verdict", json_string("fail"));
	json_object_set_new(invalid, "generator", json_pack("{s:b}", "valid", 0));
	cr_assert_eq(compare(result_of(1000, 5e6, 0.02, 1), invalid, "b is invalid"), LOAD_INVALID);
}
