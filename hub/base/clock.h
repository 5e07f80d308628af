/* Time: int64_t nanoseconds of CLOCK_MONOTONIC, everywhere but at the libev boundary. */
#ifndef HUBBUB_BASE_CLOCK_H
#define HUBBUB_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "hub/base/kernel.h"

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)
#define CLOCK_MICROSECOND INT64_C(1000)

/* The present, in nanoseconds; about 20 ns through the vDSO. */
static inline int64_t
clock_now(void)
{
	struct timespec now;

	kernel_clock(CLOCK_MONOTONIC, &now);
	return now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

/* A duration as people, JSON and libev count. */
static inline double
clock_seconds(int64_t duration)
{
	return (double)duration / (double)CLOCK_SECOND;
}

/* now + duration, whatever duration a caller has given: one below 0 is none, and one that reaches
 * past the end of time stays there. So the time that is left can be counted, too. */
static inline int64_t
clock_after(int64_t now, int64_t duration)
{
	if (duration <= 0)
		return now;
	return duration > INT64_MAX - now ? INT64_MAX : now + duration;
}

/* The end of a wait of that duration, of which INT64_MAX is for ever, without a look at the clock.
 */
static inline int64_t
clock_end_of(int64_t duration)
{
	return duration == INT64_MAX ? INT64_MAX : clock_after(clock_now(), duration);
}

#endif
