/* Timers of a simulated loop. */
#ifndef HUBBUB_SIM_TIMERS_PRIV_H
#define HUBBUB_SIM_TIMERS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

struct ev_loop;

/* When the first timer is due, in nanoseconds of its clock; INT64_MAX: none. */
int64_t timers_next(const struct ev_loop *loop);

/* Calls those that are due. Returns whether there was one. */
bool timers_call(struct ev_loop *loop);

#endif
