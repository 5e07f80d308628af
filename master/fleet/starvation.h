/* Silence for want of a CPU: which part of a hub's silence its thread has spent waiting for one.
 * That part says nothing against the hub. But a hub that goes on without a sign of life after it
 * has had a CPU for long enough is stuck, however slowly it computes. */
#ifndef HUBBUB_FLEET_STARVATION_H
#define HUBBUB_FLEET_STARVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/cpu_time.h"

/* Of one hub, since its last sign of life; zeros are a hub of which nothing has been read. */
struct starvation {
	bool has_read;        /* the last reading has succeeded */
	struct cpu_time last; /* that reading */
	int64_t read_at;      /* the hub's silence after it */
	int64_t ran;          /* nanoseconds on a CPU since the first reading */
	int64_t waited;       /* nanoseconds that were taken from the silence */
};

/* A hub has been silent for so long, in nanoseconds, and its thread's times are these (NULL if they
 * cannot be read). Returns the silence without the time that the thread has waited for a CPU since
 * the last reading; once it has run for `enough`, the whole silence. */
int64_t starvation_judge(
	struct starvation *starvation, const struct cpu_time *now, int64_t silent, int64_t enough);

#endif
