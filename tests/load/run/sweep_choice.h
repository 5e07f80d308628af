/* Which shape a sweep chooses, and how certain that is: the spread of one shape's rounds is the
 * measure for a difference between two shapes. */
#ifndef HUBBUB_LOAD_SWEEP_CHOICE_H
#define HUBBUB_LOAD_SWEEP_CHOICE_H

#include <stdbool.h>

#include "tests/load/ask/load.h"

#define SWEEP_ROUNDS_MAX 100

/* Values of one metric, one for each round whose measurement was valid. */
struct samples {
	double values[SWEEP_ROUNDS_MAX];
	unsigned count;
	unsigned doubts; /* rounds without a valid measurement */
	double doubtful; /* the value of the last invalid measurement */
};

/* The measurements of a shape. */
struct measured {
	struct load_shape shape;
	struct samples throughput; /* messages per second, in a closed loop */
	struct samples cpu;        /* CPU seconds of the server per message, in a closed loop */
	struct samples p50;        /* nanoseconds, at the common rate */
	struct samples p99;        /* nanoseconds, at the common rate */
	double memory;             /* bytes, the most of all rounds */
};

enum choice_kind {
	CHOICE_SURE,    /* no other shape is as good */
	CHOICE_ALIKE,   /* other shapes are as good */
	CHOICE_UNKNOWN, /* the rounds do not tell */
	CHOICE_MAX
};

/* The names in JSON, indexed by the enum. */
extern const char *const choice_names[CHOICE_MAX];

/* The outcome of a sweep. */
struct choice {
	enum choice_kind kind;
	unsigned chosen; /* index of the chosen shape; undefined if kind is CHOICE_UNKNOWN */
	unsigned best;   /* index of the shape with the highest throughput */
	char why[512];   /* why it is unknown, or which shapes are as good */
};

/* The median; the last invalid value if there is no valid one; -1 if there is none at all. */
double samples_median(const struct samples *samples);

/* The lowest and the highest valid value; -1 if there is none. */
double samples_low(const struct samples *samples);
double samples_high(const struct samples *samples);

/* The distance of the lowest and the highest value, as a share of the median; -1 with fewer than
 * two values. */
double samples_spread(const struct samples *samples);

/* Chooses among count shapes, at least 1. */
struct choice sweep_choose(const struct measured *measured, unsigned count);

#endif
