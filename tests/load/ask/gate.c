/* A term is an index into the table of metrics, a comparison, and a limit. The table says what
 * values a metric can have and what overload does to it; from these two follows which gates can
 * never fail, and which can be the goal of a search. */
#include "tests/load/ask/gate.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/base/values.h"
#include "tests/load/count/segment.h"

#define SAMPLES_MIN 10 /* messages, for a gate without a percentile */

enum metric {
	METRIC_PERCENTILE,
	METRIC_MIN,
	METRIC_MEAN,
	METRIC_MAX,
	METRIC_ERRORS,
	METRIC_ERROR_RATE,
	METRIC_FAULTS,
	METRIC_LOST,
	METRIC_SHED,
	METRIC_MPS,
	METRIC_RATIO,
	METRIC_OPEN,
	METRIC_COUNT
};

/* What happens to a metric when the rate is too high. */
enum overload { OVERLOAD_RAISES, OVERLOAD_LOWERS, OVERLOAD_NEITHER };

/* A value of a metric is from 0 to most. */
static const struct {
	const char *name;
	bool is_time;
	double most;
	enum overload overload;
} metrics[METRIC_COUNT] = {
	[METRIC_PERCENTILE] = {"p", true, INFINITY, OVERLOAD_RAISES},
	[METRIC_MIN] = {"min", true, INFINITY, OVERLOAD_RAISES},
	[METRIC_MEAN] = {"mean", true, INFINITY, OVERLOAD_RAISES},
	[METRIC_MAX] = {"max", true, INFINITY, OVERLOAD_RAISES},
	[METRIC_ERRORS] = {"errors", false, INFINITY, OVERLOAD_RAISES},
	[METRIC_ERROR_RATE] = {"error_rate", false, 1, OVERLOAD_RAISES},
	[METRIC_FAULTS] = {"corrupt", false, INFINITY, OVERLOAD_RAISES},
	[METRIC_LOST] = {"lost", false, INFINITY, OVERLOAD_RAISES},
	[METRIC_SHED] = {"shed", false, INFINITY, OVERLOAD_RAISES},
	/* Grows with the rate as long as the server keeps up, then falls. */
	[METRIC_MPS] = {"mps", false, INFINITY, OVERLOAD_NEITHER},
	[METRIC_RATIO] = {"rate_ratio", false, 1, OVERLOAD_LOWERS},
	[METRIC_OPEN] = {"open", false, INFINITY, OVERLOAD_LOWERS},
};

enum { HISTOGRAM_RESPONSE, HISTOGRAM_SERVICE, HISTOGRAM_CONNECT, HISTOGRAM_LAG, HISTOGRAM_COUNT };
static const char *const histograms[HISTOGRAM_COUNT] = {
	"response.", "service.", "connect.", "lag."};

static const struct {
	const char *text;
	enum gate_comparison comparison;
} comparisons[] = {{">=", GATE_AT_LEAST}, {"<=", GATE_AT_MOST}, {"!=", GATE_UNEQUAL},
	{"==", GATE_EQUAL}, {">", GATE_ABOVE}, {"<", GATE_BELOW}, {"=", GATE_EQUAL}};

#define COMPARISONS (sizeof comparisons / sizeof comparisons[0])

static bool
read_name(char *name, struct gate_term *term)
{
	char *end;

	for (unsigned i = 0; i < HISTOGRAM_COUNT; i++)
		if (strncmp(name, histograms[i], strlen(histograms[i])) == 0) {
			term->histogram = i;
			name += strlen(histograms[i]);
			break;
		}
	if (name[0] == 'p' && isdigit((unsigned char)name[1])) {
		term->metric = METRIC_PERCENTILE;
		term->percentile = strtod(name + 1, &end);
		return *end == '\0' && name[strspn(name, "p0123456789.")] == '\0' &&
		       term->percentile >= 0 && term->percentile <= 100;
	}
	for (unsigned i = METRIC_MIN; i < METRIC_COUNT; i++)
		if (strcmp(name, metrics[i].name) == 0) {
			term->metric = i;
			return metrics[i].is_time || term->histogram == HISTOGRAM_RESPONSE;
		}
	return false;
}

static bool
read_value(char *text, struct gate_term *term)
{
	int64_t time;
	size_t length = strlen(text);

	if (metrics[term->metric].is_time) {
		/* A time needs its unit here: without one it would be in seconds, as elsewhere, and
		 * p99>2 a gate that never fails. */
		if (!values_read_time(text, &time) ||
			(time != 0 && !isalpha((unsigned char)text[length - 1])))
			return false;
		term->limit = (double)time;
		return true;
	}
	if (length > 0 && text[length - 1] == '%') {
		text[length - 1] = '\0';
		if (!values_read_number(text, &term->limit))
			return false;
		term->limit /= 100;
		return true;
	}
	return values_read_number(text, &term->limit);
}

static bool
read_term(char *text, struct gate_term *term, char *why, size_t size)
{
	char *sign = strpbrk(text, "<>=!");
	size_t i = 0;

	if (sign != NULL)
		while (i < COMPARISONS &&
			strncmp(sign, comparisons[i].text, strlen(comparisons[i].text)) != 0)
			i++;
	if (sign == NULL || i == COMPARISONS) {
		snprintf(why, size, "'%s' has no comparison; a gate is written as p99>2ms", text);
		return false;
	}
	term->comparison = comparisons[i].comparison;
	*sign = '\0';
	if (!read_name(text, term)) {
		snprintf(why, size,
			"'%s' is not one of: p50 ... p99.99, min, mean, max (of service., connect. "
			"or lag., too), errors, error_rate, corrupt, lost, shed, mps, rate_ratio, "
			"open",
			text);
		return false;
	}
	sign += strlen(comparisons[i].text);
	if (!read_value(sign, term)) {
		snprintf(why, size, "'%s' is not %s", sign,
			metrics[term->metric].is_time ? "a time, such as 2ms"
						      : "a number, such as 0, 900k or 0.1%");
		return false;
	}
	return true;
}

bool
gate_read(const char *text, struct gate *gate, char *why, size_t size)
{
	char copy[GATE_TEXT_SIZE], *to = copy, *rest = NULL;

	memset(gate, 0, sizeof *gate);
	if (strlen(text) >= sizeof copy) {
		snprintf(why, size, "longer than %zu characters", sizeof copy - 1);
		return false;
	}
	for (; *text != '\0'; text++)
		if (!isspace((unsigned char)*text))
			*to++ = *text;
	*to = '\0';
	strcpy(gate->text, copy);
	for (char *term = strtok_r(copy, ",", &rest); term != NULL;
		term = strtok_r(NULL, ",", &rest)) {
		if (gate->count == GATE_TERMS_MAX) {
			snprintf(why, size, "more than %d conditions", GATE_TERMS_MAX);
			return false;
		}
		if (!read_term(term, &gate->terms[gate->count++], why, size))
			return false;
	}
	if (gate->count == 0)
		snprintf(why, size, "empty; a gate is written as p99>2ms");
	return gate->count > 0;
}

/* The share of due messages that got no reply. */
static double
error_rate(const struct measurement *measurement)
{
	const struct tally *tally = &measurement->tally;
	double failed = (double)(tally->lost + tally->unsent + tally->expired);

	if (tally->due == 0)
		return measurement_errors(measurement) > 0 ? 1 : 0;
	return fmin(1, failed / (double)tally->due);
}

/* The metric's value in the measurement; -1 if it has none. */
static double
value_of(const struct gate_term *term, const struct measurement *measurement)
{
	const struct histogram *all[HISTOGRAM_COUNT] = {&measurement->response,
		&measurement->service, &measurement->connect, &measurement->lag};
	const struct histogram *histogram = all[term->histogram];
	const struct tally *tally = &measurement->tally;
	double errors = (double)measurement_errors(measurement);

	/* If messages were due and no reply came, the time counts as the longest. */
	if (metrics[term->metric].is_time && histogram->count == 0)
		return tally->due > 0 && term->histogram <= HISTOGRAM_SERVICE
			       ? (double)HISTOGRAM_VALUE_MAX
			       : -1;
	switch ((enum metric)term->metric) {
	case METRIC_PERCENTILE:
		return (double)histogram_quantile(histogram, term->percentile / 100);
	case METRIC_MIN:
		return (double)histogram->min;
	case METRIC_MEAN:
		return histogram_mean(histogram);
	case METRIC_MAX:
		return (double)histogram->max;
	case METRIC_ERRORS:
		return errors;
	case METRIC_ERROR_RATE:
		return error_rate(measurement);
	case METRIC_FAULTS:
		return (double)measurement_faults(measurement);
	case METRIC_LOST:
		return (double)tally->lost;
	case METRIC_SHED:
		return (double)tally->shed;
	case METRIC_MPS:
		return measurement_rate(measurement);
	case METRIC_RATIO:
		return measurement_ratio(measurement);
	case METRIC_OPEN:
		/* After the end all connections are closed: alive_end has the number from
		 * before. */
		return (double)(tally->alive_end > 0 ? tally->alive_end : tally->alive);
	case METRIC_COUNT:
		break;
	}
	return -1;
}

static bool
compare(double value, enum gate_comparison comparison, double limit)
{
	switch (comparison) {
	case GATE_ABOVE:
		return value > limit;
	case GATE_AT_LEAST:
		return value >= limit;
	case GATE_BELOW:
		return value < limit;
	case GATE_AT_MOST:
		return value <= limit;
	case GATE_EQUAL:
		return value == limit;
	case GATE_UNEQUAL:
		return value != limit;
	}
	return false;
}

bool
gate_holds(const struct gate *gate, const struct measurement *measurement, double *value,
	bool *is_time)
{
	for (unsigned i = 0; i < gate->count; i++) {
		const struct gate_term *term = &gate->terms[i];
		double each = value_of(term, measurement);
		bool holds = each >= 0 && compare(each, term->comparison, term->limit);

		if (i == 0 || !holds) {
			*value = each;
			*is_time = metrics[term->metric].is_time;
		}
		if (!holds)
			return false;
	}
	return true;
}

/* ---- gates that say nothing ---- */

/* Whether any value from 0 to most satisfies the comparison. */
static bool
is_possible(enum gate_comparison comparison, double limit, double most)
{
	switch (comparison) {
	case GATE_ABOVE:
		return limit < most;
	case GATE_AT_LEAST:
		return limit <= most;
	case GATE_BELOW:
		return limit > 0;
	case GATE_AT_MOST:
		return limit >= 0;
	case GATE_EQUAL:
		return limit >= 0 && limit <= most;
	case GATE_UNEQUAL:
		return limit != 0 || most > 0;
	}
	return false;
}

static bool
can_hold(const struct gate_term *term)
{
	return is_possible(term->comparison, term->limit, metrics[term->metric].most);
}

static bool
can_fail(const struct gate_term *term)
{
	static const enum gate_comparison opposites[] = {[GATE_ABOVE] = GATE_AT_MOST,
		[GATE_AT_LEAST] = GATE_BELOW,
		[GATE_BELOW] = GATE_AT_LEAST,
		[GATE_AT_MOST] = GATE_ABOVE,
		[GATE_EQUAL] = GATE_UNEQUAL,
		[GATE_UNEQUAL] = GATE_EQUAL};

	return is_possible(opposites[term->comparison], term->limit, metrics[term->metric].most);
}

const char *
gate_why_idle(const struct gate *gate)
{
	bool may_fail = false;

	for (unsigned i = 0; i < gate->count; i++) {
		if (!can_hold(&gate->terms[i]))
			return "it is never true";
		may_fail = may_fail || can_fail(&gate->terms[i]);
	}
	return may_fail ? NULL : "it is always true";
}

/* Whether a rate that is too high makes the term false. */
static bool
yields(const struct gate_term *term)
{
	switch (metrics[term->metric].overload) {
	case OVERLOAD_RAISES:
		return term->comparison == GATE_BELOW || term->comparison == GATE_AT_MOST ||
		       (term->comparison == GATE_EQUAL && term->limit == 0);
	case OVERLOAD_LOWERS:
		return term->comparison == GATE_ABOVE || term->comparison == GATE_AT_LEAST ||
		       term->comparison == GATE_EQUAL;
	case OVERLOAD_NEITHER:
		break;
	}
	return false;
}

const char *
gate_why_no_goal(const struct gate *gate)
{
	for (unsigned i = 0; i < gate->count; i++) {
		if (!yields(&gate->terms[i]))
			return "a search finds the highest rate that keeps the goal, so the goal "
			       "must be one that too high a rate breaks, such as p99<2ms or "
			       "errors=0";
		if (!can_hold(&gate->terms[i]))
			return "no rate can keep it";
		if (!can_fail(&gate->terms[i]))
			return "every rate keeps it";
	}
	return NULL;
}

double
gate_samples(const struct gate *gate)
{
	double most = SAMPLES_MIN;

	for (unsigned i = 0; i < gate->count; i++) {
		const struct gate_term *term = &gate->terms[i];

		if (term->metric == METRIC_PERCENTILE && term->percentile < 100)
			most = fmax(most, 0.5 / (1 - term->percentile / 100));
	}
	return most;
}

bool
gate_uses_lag(const struct gate *gate)
{
	for (unsigned i = 0; i < gate->count; i++)
		if (gate->terms[i].histogram == HISTOGRAM_LAG)
			return true;
	return false;
}
