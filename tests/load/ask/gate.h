/* Gates: conditions on a measurement, such as "p99>2ms" or "p99<2ms,errors=0". */
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
	unsigned metric; /* index into gate.c's table */
	unsigned histogram;
	double percentile; /* where the metric is one */
	enum gate_comparison comparison;
	double limit; /* in nanoseconds where the metric is a time */
};

/* True when all of its terms are. */
struct gate {
	char text[GATE_TEXT_SIZE];
	unsigned count;
	struct gate_term terms[GATE_TERMS_MAX];
};

/* Parses NAME COMPARISON VALUE, several joined by commas. NAME: p50 ... p99.99, min, mean, max of
 * response time (or service.p99, connect.p99, lag.p99), errors, error_rate, corrupt, lost, shed,
 * mps, rate_ratio, open; VALUE with a unit or %. Returns whether it did; if not, why gets a
 * phrase. */
bool gate_read(const char *text, struct gate *gate, char *why, size_t size);

/* Whether it is true of the measurement. A value that is not there (a percentile of nothing) makes
 * it false. value gets that of the first term that decides, and *is_time its kind; -1 if it is not
 * there. */
bool gate_holds(const struct gate *gate, const struct measurement *measurement, double *value,
	bool *is_time);

/* Why it says nothing of any measurement: always true, or never. NULL if it says something. */
const char *gate_why_idle(const struct gate *gate);

/* Why there is no highest rate that keeps it. NULL if there is one. */
const char *gate_why_no_goal(const struct gate *gate);

/* How many messages have the percentiles that it asks for. */
double gate_samples(const struct gate *gate);

/* Whether it asks for send lag, which only an open loop has. */
bool gate_uses_lag(const struct gate *gate);

#endif
