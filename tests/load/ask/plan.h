/* The plan of an open loop: when each message is due, fixed before the run. Arrivals are made in
 * units of messages (evenly, at random, in bursts) and then mapped to time by the inverse of the
 * cumulative rate, so every kind of arrival goes with every shape of rate. */
#ifndef HUBBUB_LOAD_PLAN_H
#define HUBBUB_LOAD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum plan_arrivals { PLAN_UNIFORM, PLAN_POISSON, PLAN_BURST };
enum plan_form { PLAN_CONSTANT, PLAN_RAMP, PLAN_STAIRCASE };

/* The rate of the whole run as a function of time. Times are in seconds, rates in messages per
 * second. */
struct plan_rate {
	enum plan_form form;
	double from;      /* at the beginning, and during the warm-up */
	double to;        /* at the end of a ramp or staircase; equal to from if constant */
	double step;      /* of a staircase, above 0; the sign follows from from and to */
	double step_time; /* length of a stair */
	double warmup;
	double duration; /* after the warm-up */
};

/* Parses "50k", "10k..200k" (linear) or "10k:200k/10k@5s" (staircase). warmup and duration are the
 * caller's to set; a staircase that is longer than the duration ends on the stair that it has
 * reached. Returns NULL, or a phrase that says what is wrong (static). */
const char *plan_read_rate(const char *text, struct plan_rate *rate);

/* Parses "uniform", "poisson" or "burst:N". Returns false if text is none of them; *burst is set
 * for bursts only. */
bool plan_read_arrivals(const char *text, enum plan_arrivals *arrivals, unsigned *burst);

/* The rate at a time (seconds since the start), and how many messages are due until then. */
double plan_rate_at(const struct plan_rate *rate, double time);
double plan_due(const struct plan_rate *rate, double time);

/* One thread's share of the plan. */
struct plan {
	const struct plan_rate *rate;
	enum plan_arrivals arrivals;
	unsigned burst;  /* messages of a burst */
	double position; /* of the thread's next message, counted in messages of the whole run */
	double stride;   /* positions between two messages of this thread, on average */
	uint64_t random; /* state of random.h */
	unsigned burst_left; /* messages left in the current burst */
	/* The stair that plan_time has reached: seconds, and messages due, from the warm-up to its
	 * beginning. */
	double stair_time;
	double stair_due;
};

/* Prepares the share of thread number index of count. rate is borrowed. The shares of all threads
 * make up the whole plan. */
void plan_init(struct plan *plan, const struct plan_rate *rate, enum plan_arrivals arrivals,
	unsigned burst, unsigned index, unsigned count, uint64_t seed);

/* When the thread's next message is due, in nanoseconds since the start; INT64_MAX when the plan is
 * over. */
int64_t plan_next(struct plan *plan);

#endif
