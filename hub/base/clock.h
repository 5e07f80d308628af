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

/* A time that is not before the present, and at most 10 ms after it: the kernel's last tick and
 * the longest that one lasts. About 5 ns. */
static inline int64_t
clock_coarse_end(void)
{
	struct timespec tick;

	kernel_clock(CLOCK_MONOTONIC_COARSE, &tick);
	return tick.tv_sec * CLOCK_SECOND + tick.tv_nsec + 10 * CLOCK_MILLISECOND;
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

#endif
