/* The statistics of a sweep. Shapes are compared by the ranges of their rounds: a difference counts
 * only if the ranges do not overlap and it is larger than a threshold. First the shapes that are
 * slower for certain drop out; of the others the one with the lowest p99 is chosen; then rivals
 * that could be as good decide how certain that is. */
#include "tests/load/run/sweep_choice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/load/count/median.h"

#define ALIKE 0.05      /* a throughput lower by a smaller share is as good */
#define ALIKE_TAIL 0.2  /* a p99 higher by a smaller share is as good */
#define TAIL_LEAST 50e3 /* nanoseconds: a smaller difference of p99 does not matter */
#define DOUBTFUL 0.2    /* a throughput that may be higher by this share is not as good */
#define ROUNDS_LEAST 2  /* rounds that are needed for a spread */

const char *const choice_names[CHOICE_MAX] = {"sure", "alike", "unknown"};

double
samples_median(const struct samples *samples)
{
	double sorted[SWEEP_ROUNDS_MAX];

	if (samples->count == 0)
		return samples->doubts > 0 ? samples->doubtful : -1;
	memcpy(sorted, samples->values, samples->count * sizeof *sorted);
	return median(sorted, samples->count);
}

double
samples_low(const struct samples *samples)
{
	double low = samples->count > 0 ? INFINITY : -1;

	for (unsigned i = 0; i < samples->count; i++)
		low = fmin(low, samples->values[i]);
	return low;
}

double
samples_high(const struct samples *samples)
{
	double high = -1;

	for (unsigned i = 0; i < samples->count; i++)
		high = fmax(high, samples->values[i]);
	return high;
}

double
samples_spread(const struct samples *samples)
{
	double middle = samples_median(samples);

	if (samples->count < ROUNDS_LEAST || middle <= 0)
		return -1;
	return (samples_high(samples) - samples_low(samples)) / middle;
}

/* Whether each round of `than` was better than each of `samples`, and not only by a little. */
static bool
is_slower(const struct samples *samples, const struct samples *than)
{
	return samples_high(samples) < samples_low(than) &&
	       samples_median(samples) < (1 - ALIKE) * samples_median(than);
}

static bool
overlap(const struct samples *a, const struct samples *b)
{
	return samples_low(a) <= samples_high(b) && samples_low(b) <= samples_high(a);
}

/* Whether no two rounds of both differ by an amount that matters. */
static bool
have_alike_tails(const struct samples *a, const struct samples *b)
{
	double low = fmin(samples_low(a), samples_low(b));
	double high = fmax(samples_high(a), samples_high(b));

	return high - low <= fmax(TAIL_LEAST, ALIKE_TAIL * low);
}

static void
append_shape(struct choice *choice, struct load_shape shape)
{
	size_t used = strlen(choice->why);

	snprintf(choice->why + used, sizeof choice->why - used, "%s%ux%u", used > 0 ? ", " : "",
		shape.processes, shape.threads);
}

static struct choice
fail(struct choice choice, const char *why, struct load_shape shape)
{
	choice.kind = CHOICE_UNKNOWN;
	snprintf(choice.why, sizeof choice.why, "%s of %ux%u", why, shape.processes, shape.threads);
	return choice;
}

/* Whether there are enough rounds: a single shape needs no spread. */
static bool
is_enough(const struct samples *samples, unsigned shapes)
{
	return samples->count >= (shapes > 1 ? ROUNDS_LEAST : 1);
}

/* Whether the rival, by its best round, may be much faster than the chosen one by its worst. */
static bool
may_be_faster(const struct measured *rival, const struct measured *chosen)
{
	return samples_high(&rival->throughput) > (1 + DOUBTFUL) * samples_low(&chosen->throughput);
}

/* Looks for shapes that may be as good as the chosen one: alike, or indistinguishable from it. */
static void
look_for_rivals(
	struct choice *choice, const struct measured *measured, unsigned count, const bool *is_slow)
{
	const struct measured *chosen = &measured[choice->chosen];

	for (unsigned i = 0; i < count; i++) {
		const struct measured *rival = &measured[i];
		bool is_alike = have_alike_tails(&rival->p99, &chosen->p99);
		bool is_faster;

		if (i == choice->chosen || is_slow[i])
			continue;
		is_faster = may_be_faster(rival, chosen);
		if (is_faster || (overlap(&rival->p99, &chosen->p99) && !is_alike)) {
			choice->kind = CHOICE_UNKNOWN;
			snprintf(choice->why, sizeof choice->why,
				"%ux%u and %ux%u differ less from each other than their rounds do, "
				"in %s",
				chosen->shape.processes, chosen->shape.threads,
				rival->shape.processes, rival->shape.threads,
				is_faster ? "throughput" : "p99");
			return;
		}
		if (is_alike) {
			choice->kind = CHOICE_ALIKE;
			append_shape(choice, rival->shape);
		}
	}
}

struct choice
sweep_choose(const struct measured *measured, unsigned count)
{
	struct choice choice = {.kind = CHOICE_SURE};
	bool is_slow[LOAD_SHAPES_MAX];
	double lowest = INFINITY;

	for (unsigned i = 0; i < count; i++)
		if (samples_median(&measured[i].throughput) >
			samples_median(&measured[choice.best].throughput))
			choice.best = i;
	for (unsigned i = 0; i < count; i++)
		if (!is_enough(&measured[i].throughput, count))
			return fail(choice, "too few valid closed loops", measured[i].shape);
	for (unsigned i = 0; i < count; i++) {
		is_slow[i] = is_slower(&measured[i].throughput, &measured[choice.best].throughput);
		if (is_slow[i])
			continue;
		if (!is_enough(&measured[i].p99, count) || measured[i].p99.doubts > 0)
			return fail(choice, "too few valid open loops", measured[i].shape);
		if (samples_median(&measured[i].p99) < lowest) {
			lowest = samples_median(&measured[i].p99);
			choice.chosen = i;
		}
	}
	look_for_rivals(&choice, measured, count, is_slow);
	return choice;
}
