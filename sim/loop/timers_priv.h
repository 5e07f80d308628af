/* Timers of a simulated loop. */
#ifndef HUBBUB_SIM_TIMERS_PRIV_H
#define HUBBUB_SIM_TIMERS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/clock.h"
#include "sim/loop/loop_record_priv.h"
#include "sim/machine/clock_priv.h"

/* When the first timer is due, in nanoseconds of its clock; INT64_MAX: none. */
static inline int64_t
timers_next(const struct ev_loop *loop)
{
	return loop->timer_count != 0 ? (int64_t)(loop->timers[0]->at * (double)CLOCK_SECOND) + 1
				      : INT64_MAX;
}

/* Whether it is. */
static inline bool
timers_are_due(const struct ev_loop *loop)
{
	return timers_next(loop) <= clock_monotonic(loop->clock);
}

/* Calls those that are due. Returns whether there was one. */
bool timers_call(struct ev_loop *loop);

#endif
