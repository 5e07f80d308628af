/* Which shape a sweep chooses, and how sure that is: what rounds of one shape differ by says
 * nothing of a difference between two. */
#ifndef HUBBUB_LOAD_SWEEP_CHOICE_H
#define HUBBUB_LOAD_SWEEP_CHOICE_H

#include <stdbool.h>

#include "tests/load/ask/load.h"

#define SWEEP_ROUNDS_MAX 100

/* Values of one kind, one for each round whose measurement was valid. */
struct samples {
	double values[SWEEP_ROUNDS_MAX];
	unsigned count;
	unsigned doubts; /* rounds without one: all measurements were invalid */
	double doubtful; /* what the last of these said */
};

/* What a shape did. */
struct measured {
	struct load_shape shape;
	struct samples throughput; /* messages a second, in a closed loop */
	struct samples cpu;        /* seconds of the server per message */
	struct samples p50;        /* nanoseconds, at the common rate */
	struct samples p99;
	double memory; /* bytes, at most */
};

enum choice_kind {
	CHOICE_SURE,    /* no other is as good */
	CHOICE_ALIKE,   /* others are as good */
	CHOICE_UNKNOWN, /* cannot be told */
	CHOICE_MAX
};

/* In JSON. */
extern const char *const choice_names[CHOICE_MAX];

struct choice {
	enum choice_kind kind;
	unsigned chosen; /* index; where the kind is unknown, none */
	unsigned best;   /* the one with the highest throughput */
	char why[512];   /* it cannot be told; or which others are as good */
};

/* The median; the doubtful value if there is no other; -1 if there is none at all. */
double samples_median(const struct samples *samples);

/* The lowest and the highest; -1 if there is none. */
double samples_low(const struct samples *samples);
double samples_high(const struct samples *samples);

/* How far apart they are, as a share of the median; -1 if that takes more of them. */
double samples_spread(const struct samples *samples);

struct choice sweep_choose(const struct measured *measured, unsigned count);

#endif
