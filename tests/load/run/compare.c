/* Samples are the runs of two results, or their intervals where runs are few. The bounds of a ratio
 * are a bootstrap: medians of samples drawn with replacement, many times, from a fixed seed, so
 * that a comparison of two files always has the same verdict. */
#include "tests/load/run/compare.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "master/base/values.h"
#include "tests/load/ask/load.h"
#include "tests/load/ask/random.h"
#include "tests/load/ask/units.h"
#include "tests/load/count/median.h"
#include "tests/load/run/commands.h"
#include "tests/load/show/json_read.h"

#define RESAMPLES 2000   /* drawings of the bootstrap */
#define SAMPLES_MAX 4096 /* of each result */
#define RATIO_MAX 1000

/* ---- the ratio ---- */

/* A ratio to almost nothing says nothing: cut it at RATIO_MAX. */
static double
ratio_of(double after, double before)
{
	return before * RATIO_MAX > after ? after / before : RATIO_MAX;
}

static double
resampled_median(const double *values, size_t count, uint64_t *random, double *scratch)
{
	for (size_t i = 0; i < count; i++)
		scratch[i] = values[(size_t)(random_unit(random) * (double)count)];
	return median(scratch, count);
}

struct compare_ratio
compare_medians(
	const double *base, size_t base_count, const double *new, size_t new_count, uint64_t seed)
{
	static double scratch[SAMPLES_MAX], ratios[RESAMPLES];
	uint64_t random = random_seed(seed, 0);
	struct compare_ratio result;
	double before, after;

	memcpy(scratch, base, base_count * sizeof *base);
	before = median(scratch, base_count);
	memcpy(scratch, new, new_count * sizeof *new);
	after = median(scratch, new_count);
	result.ratio = ratio_of(after, before);
	for (size_t i = 0; i < RESAMPLES; i++) {
		before = resampled_median(base, base_count, &random, scratch);
		after = resampled_median(new, new_count, &random, scratch);
		ratios[i] = ratio_of(after, before);
	}
	qsort(ratios, RESAMPLES, sizeof *ratios, median_order);
	result.low = ratios[RESAMPLES / 40];
	result.high = ratios[RESAMPLES - 1 - RESAMPLES / 40];
	return result;
}

/* ---- results ---- */

static const struct metric {
	const char *key;
	const char *name;
	bool is_time; /* less is better; else more is better */
} metrics[] = {
	{"achieved", "throughput", false},
	{"p50", "p50", true},
	{"p99", "p99", true},
	{"p99_9", "p99.9", true},
};
#define METRICS_NEEDED 2 /* the first ones: those behind need more replies than a short run has */

enum verdict {
	VERDICT_UNCHANGED,
	VERDICT_IMPROVED,
	VERDICT_REGRESSED,
	VERDICT_UNCERTAIN,
	VERDICT_MAX
};
static const char *const verdicts[VERDICT_MAX] = {
	"unchanged", "improved", "REGRESSED", "uncertain"};

/* Reads the values of a metric from an array of runs or intervals; one in which no reply came has
 * no time. Returns the number of values. */
static size_t
read_samples(const json_t *array, const struct metric *metric, double *samples)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(array) && count < SAMPLES_MAX; i++) {
		const json_t *value = json_object_get(json_array_get(array, i), metric->key);

		if (json_is_number(value))
			samples[count++] = json_number_value(value);
	}
	return count;
}

static enum verdict
judge(const struct metric *metric, struct compare_ratio ratio, double max_regress)
{
	double sign = metric->is_time ? 1 : -1, worse = sign * (ratio.ratio - 1);
	bool has_changed = ratio.low > 1 || ratio.high < 1;
	bool may_have = ratio.low < 1 - max_regress || ratio.high > 1 + max_regress;

	if (worse > max_regress && has_changed)
		return VERDICT_REGRESSED;
	if (-worse > max_regress && has_changed)
		return VERDICT_IMPROVED;
	return may_have ? VERDICT_UNCERTAIN : VERDICT_UNCHANGED;
}

static void
print_change(FILE *stream, const struct metric *metric, double *base, size_t base_count,
	double *new, size_t new_count, struct compare_ratio ratio, enum verdict verdict)
{
	char before[UNITS_TEXT_SIZE], after[UNITS_TEXT_SIZE];
	double old_median = median(base, base_count), new_median = median(new, new_count);

	if (metric->is_time) {
		units_write_time(before, (int64_t)old_median, UNITS_AUTO);
		units_write_time(after, (int64_t)new_median, UNITS_AUTO);
	} else {
		snprintf(before, sizeof before, "%.0f/s", old_median);
		snprintf(after, sizeof after, "%.0f/s", new_median);
	}
	fprintf(stream, "  %-12s %12s %12s   %+7.1f %%   (%+.1f to %+.1f %%)   %s\n", metric->name,
		before, after, 100 * (ratio.ratio - 1), 100 * (ratio.low - 1),
		100 * (ratio.high - 1), verdicts[verdict]);
}

/* Compares the shares of samples in which no reply came (so without a slowest one), since these are
 * in no percentile. */
static enum verdict
judge_silence(FILE *stream, const json_t *base, const json_t *new, double max_regress)
{
	const json_t *const arrays[2] = {base, new};
	double shares[2] = {0, 0};
	enum verdict verdict = VERDICT_UNCHANGED;

	for (int i = 0; i < 2; i++) {
		size_t count = json_array_size(arrays[i]), silent = 0;

		for (size_t k = 0; k < count; k++)
			silent += !json_is_number(
				json_object_get(json_array_get(arrays[i], k), "max"));
		shares[i] = count > 0 ? (double)silent / (double)count : 0;
	}
	if (shares[1] - shares[0] > max_regress)
		verdict = VERDICT_REGRESSED;
	else if (shares[0] - shares[1] > max_regress)
		verdict = VERDICT_IMPROVED;
	if (shares[0] + shares[1] > 0)
		fprintf(stream, "  %-12s %10.1f %% %10.1f %%   %s\n", "no answer", 100 * shares[0],
			100 * shares[1], verdicts[verdict]);
	return verdict;
}

static bool
is_valid(FILE *stream, const json_t *result, const char *name)
{
	const char *verdict = json_string_value(json_at(result, "verdict"));

	/* A server that died makes the verdict "fail" even where the measurement is invalid: look
	 * at its validity, too. */
	if (json_is_false(json_at(result, "generator.valid")))
		verdict = "invalid";
	if (verdict != NULL && (strcmp(verdict, "pass") == 0 || strcmp(verdict, "fail") == 0))
		return true;
	fprintf(stream, "no verdict: %s is %s\n", name, verdict != NULL ? verdict : "no result");
	return false;
}

bool
compare_is_possible(FILE *stream, const json_t *result, const char *name)
{
	if (!is_valid(stream, result, name))
		return false;
	if (json_array_size(json_at(result, "runs")) >= LOAD_SAMPLES_MIN ||
		json_array_size(json_at(result, "series")) >= LOAD_SAMPLES_MIN)
		return true;
	fprintf(stream, "no verdict: %s has fewer than %d runs or intervals; make it longer\n",
		name, LOAD_SAMPLES_MIN);
	return false;
}

/* Prints options in which the two loads differ: they may explain a change. */
static void
print_differences(FILE *stream, const json_t *base, const json_t *new)
{
	static const char *const keys[] = {"mode", "rate_shape", "arrivals", "depth", "connections",
		"idle", "redial", "roam", "size", "framing", "requests", "reply", "verify", "churn",
		"lifetime_s", "close", "slow", "max_inflight", "overload", "nodelay", "spin",
		"processes", "threads"};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const json_t *before = json_object_get(json_at(base, "config"), keys[i]);
		const json_t *after = json_object_get(json_at(new, "config"), keys[i]);
		char *old_text, *new_text;

		if (json_equal(before, after))
			continue;
		old_text = json_dumps(before, JSON_ENCODE_ANY);
		new_text = json_dumps(after, JSON_ENCODE_ANY);
		fprintf(stream, "  note: the loads differ: %s was %s, is %s\n", keys[i],
			old_text != NULL ? old_text : "absent",
			new_text != NULL ? new_text : "absent");
		free(old_text);
		free(new_text);
	}
}

static int
conclude(FILE *stream, const unsigned counts[static VERDICT_MAX])
{
	if (counts[VERDICT_REGRESSED] > 0 && counts[VERDICT_IMPROVED] > 0) {
		fprintf(stream, "verdict: mixed: some metrics improved, some regressed\n");
		return LOAD_BREACHED;
	}
	if (counts[VERDICT_REGRESSED] > 0) {
		fprintf(stream, "verdict: regressed\n");
		return LOAD_BREACHED;
	}
	if (counts[VERDICT_UNCERTAIN] > 0)
		fprintf(stream, "verdict: %s; more runs would tell (--repeat)\n",
			counts[VERDICT_IMPROVED] > 0 ? "improved, but other metrics are uncertain"
						     : "uncertain: no change is certain");
	else
		fprintf(stream, "verdict: %s\n",
			counts[VERDICT_IMPROVED] > 0 ? "improved" : "unchanged");
	return LOAD_DONE;
}

int
compare_results(FILE *stream, const json_t *base, const json_t *new, const char *base_name,
	const char *new_name, double max_regress)
{
	static double before[SAMPLES_MAX], after[SAMPLES_MAX];
	unsigned counts[VERDICT_MAX] = {0};
	bool by_runs = json_array_size(json_at(base, "runs")) >= LOAD_SAMPLES_MIN &&
		       json_array_size(json_at(new, "runs")) >= LOAD_SAMPLES_MIN;
	const char *samples = by_runs ? "runs" : "series";
	size_t base_count = json_array_size(json_at(base, samples)),
	       new_count = json_array_size(json_at(new, samples));

	if (base_count > SAMPLES_MAX)
		base_count = SAMPLES_MAX;
	if (new_count > SAMPLES_MAX)
		new_count = SAMPLES_MAX;
	fprintf(stream, "%s -> %s, medians of %zu and %zu %s, 95 %% bounds\n", base_name, new_name,
		base_count, new_count, by_runs ? "runs" : "intervals");
	if (!is_valid(stream, base, base_name) || !is_valid(stream, new, new_name))
		return LOAD_INVALID;
	print_differences(stream, base, new);
	counts[judge_silence(stream, json_at(base, samples), json_at(new, samples), max_regress)]++;
	if (base_count < LOAD_SAMPLES_MIN || new_count < LOAD_SAMPLES_MIN) {
		fprintf(stream,
			"no verdict: it takes %d runs of each (--repeat=%d), or as many "
			"intervals\n",
			LOAD_SAMPLES_MIN, LOAD_SAMPLES_MIN);
		return LOAD_INVALID;
	}
	for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
		struct compare_ratio ratio;
		enum verdict verdict;

		base_count = read_samples(json_at(base, samples), &metrics[i], before);
		new_count = read_samples(json_at(new, samples), &metrics[i], after);
		if (base_count < LOAD_SAMPLES_MIN || new_count < LOAD_SAMPLES_MIN ||
			!(median(before, base_count) > 0)) {
			if (i >= METRICS_NEEDED) {
				fprintf(stream, "  %-12s left out: too few replies for it\n",
					metrics[i].name);
				continue;
			}
			fprintf(stream, "no verdict: too few replies came back\n");
			return LOAD_INVALID;
		}
		ratio = compare_medians(before, base_count, after, new_count, 1);
		verdict = judge(&metrics[i], ratio, max_regress);
		counts[verdict]++;
		print_change(
			stream, &metrics[i], before, base_count, after, new_count, ratio, verdict);
	}
	if (!by_runs)
		fprintf(stream,
			"  note: intervals of one run differ less than runs do; --repeat=5 is more "
			"reliable\n");
	return conclude(stream, counts);
}

/* ---- the command ---- */

static int
usage(FILE *stream, int code)
{
	fprintf(stream,
		"usage: hubbub-load compare [--max-regress=5%%] BASE.json NEW.json...\n"
		"Compares each NEW with BASE: exit code 3 if one regressed, 4 if there is no "
		"verdict.\n");
	return code;
}

/* Reads the value of --max-regress. Returns false after a message. */
static bool
read_max_regress(const char *text, double *max_regress)
{
	if (values_read_percentage(text, max_regress))
		return true;
	fprintf(stderr, "hubbub-load: --max-regress: '%s' is not a percentage, such as 5%%\n",
		text);
	return false;
}

static int
compare_files(int count, char **paths, double max_regress)
{
	json_t *base = json_read_result(paths[0]);
	int worst = LOAD_DONE;

	if (base == NULL)
		return LOAD_FAILED;
	for (int i = 1; i < count; i++) {
		json_t *new = json_read_result(paths[i]);
		int code = new == NULL ? LOAD_FAILED
				       : compare_results(stdout, base, new, paths[0], paths[i],
						 max_regress);

		json_decref(new);
		if (code != LOAD_DONE && worst != LOAD_BREACHED)
			worst = code;
	}
	json_decref(base);
	return worst;
}

int
command_compare(int argc, char **argv)
{
	double max_regress = 0.05;
	int count = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return usage(stdout, LOAD_DONE);
		if (strncmp(argv[i], "--max-regress=", 14) == 0) {
			if (!read_max_regress(argv[i] + 14, &max_regress))
				return LOAD_USAGE;
		} else if (argv[i][0] == '-' && argv[i][1] != '\0') {
			return usage(stderr, LOAD_USAGE);
		} else {
			argv[count++] = argv[i];
		}
	}
	return count < 2 ? usage(stderr, LOAD_USAGE) : compare_files(count, argv, max_regress);
}
