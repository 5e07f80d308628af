/* Time: int64_t nanoseconds of CLOCK_MONOTONIC, everywhere but at the libev boundary. */
#ifndef HUBBUB_BASE_CLOCK_H
#define HUBBUB_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "hub/base/kernel.h"

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)
#define CLOCK_MICROSECOND INT64_C(1000)

/* The time now; about 20 ns, through the vDSO. */
static inline int64_t
clock_now(void)
{
	struct timespec now;

	kernel_clock(CLOCK_MONOTONIC, &now);
	return now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

/* A duration in seconds, as people, JSON and libev count. */
static inline double
clock_seconds(int64_t duration)
{
	return (double)duration / (double)CLOCK_SECOND;
}

/* now + duration, for every duration that a caller may give: one below 0 counts as 0, and a sum
 * beyond INT64_MAX is INT64_MAX. So the time that is left until then never overflows. */
static inline int64_t
clock_after(int64_t now, int64_t duration)
{
	if (duration <= 0)
		return now;
	return duration > INT64_MAX - now ? INT64_MAX : now + duration;
}

/* The end of a wait that begins now. A duration of INT64_MAX is for ever, and needs no look at the
 * clock. */
static inline int64_t
clock_end_of(int64_t duration)
{
	return duration == INT64_MAX ? INT64_MAX : clock_after(clock_now(), duration);
}

#endif
