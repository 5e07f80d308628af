/* The rate as a function of time, its integral (plan_due), and the inverse of the integral
 * (plan_time), which maps a position, counted in messages, to the moment when that message is due.
 * Each thread walks the positions of its own messages; together the threads visit all positions. */
#include "tests/load/ask/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/base/values.h"
#include "tests/load/ask/random.h"

/* ---- reading ---- */

static const char *
read_staircase(char *rest, struct plan_rate *rate)
{
	char *slash = strchr(rest, '/'), *at = slash != NULL ? strchr(slash, '@') : NULL;
	int64_t step_time;

	if (at == NULL)
		return "a staircase is FROM:TO/STEP@TIME, as in 10k:200k/10k@5s";
	*slash = *at = '\0';
	if (!values_read_number(rest, &rate->to) || !values_read_number(slash + 1, &rate->step) ||
		!values_read_time(at + 1, &step_time))
		return "a staircase is FROM:TO/STEP@TIME, as in 10k:200k/10k@5s";
	if (!(rate->step > 0) || step_time < 1000000)
		return "the steps of a staircase are above 0, each at least 1ms long";
	rate->step_time = (double)step_time / 1e9;
	rate->form = PLAN_STAIRCASE;
	return NULL;
}

const char *
plan_read_rate(const char *text, struct plan_rate *rate)
{
	char copy[128], *dots, *colon;
	const char *why = NULL;

	if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
		return "too long";
	dots = strstr(copy, "..");
	colon = strchr(copy, ':');
	rate->form = PLAN_CONSTANT;
	if (dots != NULL) {
		*dots = '\0';
		rate->form = PLAN_RAMP;
		if (!values_read_number(dots + 2, &rate->to))
			why = "a ramp is FROM..TO, as in 10k..200k";
	} else if (colon != NULL) {
		*colon = '\0';
		why = read_staircase(colon + 1, rate);
	}
	if (why != NULL)
		return why;
	if (!values_read_number(copy, &rate->from))
		return "a rate is messages per second, as in 50k, 10k..200k or 10k:200k/10k@5s";
	if (rate->form == PLAN_CONSTANT)
		rate->to = rate->from;
	if (rate->from > 1e9 || rate->to > 1e9 || !(rate->from + rate->to > 0) ||
		(rate->form != PLAN_RAMP && !(rate->from > 0)))
		return "a rate is above 0 and at most 1G messages per second";
	return NULL;
}

bool
plan_read_arrivals(const char *text, enum plan_arrivals *arrivals, unsigned *burst)
{
	double size;

	if (strcmp(text, "uniform") == 0) {
		*arrivals = PLAN_UNIFORM;
		return true;
	}
	if (strcmp(text, "poisson") == 0) {
		*arrivals = PLAN_POISSON;
		return true;
	}
	if (strncmp(text, "burst:", 6) != 0 || !values_read_number(text + 6, &size) || size < 1 ||
		size > 1e6 || size != floor(size))
		return false;
	*arrivals = PLAN_BURST;
	*burst = (unsigned)size;
	return true;
}

/* ---- the rate ---- */

/* The rate of a staircase, at a time after the warm-up. */
static double
stair(const struct plan_rate *rate, double time)
{
	double steps = floor(time / rate->step_time + 1e-9);

	if (rate->to >= rate->from)
		return fmin(rate->from + steps * rate->step, rate->to);
	return fmax(rate->from - steps * rate->step, rate->to);
}

double
plan_rate_at(const struct plan_rate *rate, double time)
{
	time -= rate->warmup;
	if (time < 0 || rate->form == PLAN_CONSTANT)
		return rate->from;
	if (rate->form == PLAN_STAIRCASE)
		return stair(rate, time);
	return rate->from + (rate->to - rate->from) * fmin(time / rate->duration, 1);
}

double
plan_due(const struct plan_rate *rate, double time)
{
	double due = rate->from * fmin(time, rate->warmup);

	time -= rate->warmup;
	if (time <= 0)
		return due;
	switch (rate->form) {
	case PLAN_CONSTANT:
		return due + rate->from * time;
	case PLAN_RAMP:
		return due + rate->from * time +
		       (rate->to - rate->from) * time * time / (2 * rate->duration);
	case PLAN_STAIRCASE:
		for (double at = 0; at < time; at += rate->step_time)
			due += stair(rate, at) * fmin(rate->step_time, time - at);
		return due;
	}
	return due;
}

/* ---- arrivals ---- */

void
plan_init(struct plan *plan, const struct plan_rate *rate, enum plan_arrivals arrivals,
	unsigned burst, unsigned index, unsigned count, uint64_t seed)
{
	*plan = (struct plan){.rate = rate,
		.arrivals = arrivals,
		.burst = burst,
		.stride = count,
		.random = random_seed(seed, index)};
	switch (arrivals) {
	case PLAN_UNIFORM:
		plan->position = index;
		break;
	case PLAN_POISSON:
		plan->position = count * random_exponential(&plan->random);
		break;
	case PLAN_BURST:
		/* Whole bursts go to the threads in turn. */
		plan->position = (double)index * burst;
		plan->burst_left = burst;
		break;
	}
}

/* The time, in seconds since the start, at which position messages are due; INFINITY if the plan
 * ends before. Successive calls must not go back. */
static double
plan_time(struct plan *plan, double position)
{
	const struct plan_rate *rate = plan->rate;
	double before = rate->from * rate->warmup, slope, rest;

	if (position < before)
		return position / rate->from;
	rest = position - before;
	if (rest <= 0)
		return rate->warmup;
	switch (rate->form) {
	case PLAN_CONSTANT:
		return rate->warmup + rest / rate->from;
	case PLAN_RAMP:
		slope = (rate->to - rate->from) / rate->duration;
		if (fabs(slope) < 1e-12)
			return rate->warmup + rest / rate->from;
		/* Solves from * t + slope * t^2 / 2 = rest, in the form in which nothing cancels.
		 * Where the rate falls to 0, the integral may never reach rest. */
		if (rate->from * rate->from + 2 * slope * rest < 0)
			return INFINITY;
		return rate->warmup +
		       2 * rest / (rate->from + sqrt(rate->from * rate->from + 2 * slope * rest));
	case PLAN_STAIRCASE:
		while (plan->stair_time < rate->duration) {
			double level = stair(rate, plan->stair_time);

			if (level > 0 && rest <= plan->stair_due + level * rate->step_time)
				return rate->warmup + plan->stair_time +
				       (rest - plan->stair_due) / level;
			plan->stair_due += level * rate->step_time;
			plan->stair_time += rate->step_time;
		}
		return INFINITY;
	}
	return INFINITY;
}

int64_t
plan_next(struct plan *plan)
{
	double time = plan_time(plan, plan->position);

	if (!(time < plan->rate->warmup + plan->rate->duration))
		return INT64_MAX;
	switch (plan->arrivals) {
	case PLAN_UNIFORM:
		plan->position += plan->stride;
		break;
	case PLAN_POISSON:
		plan->position += plan->stride * random_exponential(&plan->random);
		break;
	case PLAN_BURST:
		if (--plan->burst_left == 0) {
			plan->position += plan->stride * plan->burst;
			plan->burst_left = plan->burst;
		}
		break;
	}
	return (int64_t)(time * 1e9);
}
