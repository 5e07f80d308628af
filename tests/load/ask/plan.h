/* The plan of an open loop: when each message is due, fixed before the run. Arrivals are made in
 * units of messages (evenly, at random, in bursts) and then mapped to time by the inverse of the
 * cumulative rate, so every kind of arrival goes with every shape of rate. */
#ifndef HUBBUB_LOAD_PLAN_H
#define HUBBUB_LOAD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum plan_arrivals { PLAN_UNIFORM, PLAN_POISSON, PLAN_BURST };
enum plan_form { PLAN_CONSTANT, PLAN_RAMP, PLAN_STAIRCASE };

/* The rate of the whole run over time. All times in seconds, rates in messages per second. */
struct plan_rate {
	enum plan_form form;
	double from; /* during the warm-up, too */
	double to;   /* of a ramp or staircase; equal to from if constant */
	double step; /* of a staircase, above 0; it goes up or down as from and to say */
	double step_time;
	double warmup;
	double duration; /* after the warm-up */
};

/* "50k", "10k..200k" (linear), "10k:200k/10k@5s" (staircase). The times are the caller's to set; a
 * staircase whose steps do not fit into the duration stops where it then is. Returns NULL, or a
 * phrase that says what is wrong. */
const char *plan_read_rate(const char *text, struct plan_rate *rate);

/* "uniform", "poisson", "burst:N". */
bool plan_read_arrivals(const char *text, enum plan_arrivals *arrivals, unsigned *burst);

/* The rate at a time since the start, and how many messages are due from the start up to then. */
double plan_rate_at(const struct plan_rate *rate, double time);
double plan_due(const struct plan_rate *rate, double time);

/* One thread's share of the plan. */
struct plan {
	const struct plan_rate *rate;
	enum plan_arrivals arrivals;
	unsigned burst;
	double position; /* in messages of the whole run */
	double stride;   /* between two of this thread's, on average */
	uint64_t random;
	unsigned burst_left;
	/* where the inverse of a staircase has come to */
	double stair_time;
	double stair_due;
};

/* The share of thread number index of count; rate is borrowed. All threads together make the whole
 * plan. */
void plan_init(struct plan *plan, const struct plan_rate *rate, enum plan_arrivals arrivals,
	unsigned burst, unsigned index, unsigned count, uint64_t seed);

/* When the next message is due, in nanoseconds since the start; INT64_MAX when the plan is over. */
int64_t plan_next(struct plan *plan);

#endif
