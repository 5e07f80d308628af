/* Gates: conditions on a measurement, such as "p99>2ms" or "p99<2ms,errors=0". --fail-if,
 * --abort-if and the goal of a search are gates. */
#ifndef HUBBUB_LOAD_GATE_H
#define HUBBUB_LOAD_GATE_H

#include <stdbool.h>
#include <stddef.h>

#define GATE_TERMS_MAX 8
#define GATE_TEXT_SIZE 128

struct measurement;

enum gate_comparison {
	GATE_ABOVE,
	GATE_AT_LEAST,
	GATE_BELOW,
	GATE_AT_MOST,
	GATE_EQUAL,
	GATE_UNEQUAL
};

struct gate_term {
	unsigned metric;    /* index into gate.c's table */
	unsigned histogram; /* index into gate.c's list of histograms */
	double percentile;  /* 0 to 100; used where the metric is a percentile */
	enum gate_comparison comparison;
	double limit; /* nanoseconds if the metric is a time */
};

/* A gate holds when all its terms hold. */
struct gate {
	char text[GATE_TEXT_SIZE];
	unsigned count;
	struct gate_term terms[GATE_TERMS_MAX];
};

/* Parses NAME COMPARISON VALUE, or several of them joined by commas. NAME: p50 ... p99.99, min,
 * mean, max of response time (or service.p99, connect.p99, lag.p99), errors, error_rate, corrupt,
 * lost, shed, mps, rate_ratio, open; VALUE: a number with a unit or %. Returns false if text is no
 * gate; why then has a phrase that says what is wrong. */
bool gate_read(const char *text, struct gate *gate, char *why, size_t size);

/* Whether the gate holds for the measurement. A term whose metric has no value (a percentile of
 * nothing) does not hold. *value becomes the metric of the term that decides: the first that does
 * not hold, or the first of all; -1 if it has no value. *is_time says whether it is in
 * nanoseconds. */
bool gate_holds(const struct gate *gate, const struct measurement *measurement, double *value,
	bool *is_time);

/* Why the gate is of no use, being always true or never true. NULL if it depends on the
 * measurement. */
const char *gate_why_idle(const struct gate *gate);

/* Why no search can find a highest rate that keeps the gate. NULL if one can. */
const char *gate_why_no_goal(const struct gate *gate);

/* How many messages a measurement needs to have the percentiles of the gate. */
double gate_samples(const struct gate *gate);

/* Whether the gate uses send lag, which only an open loop has. */
bool gate_uses_lag(const struct gate *gate);

#endif
