/* Time: int64_t nanoseconds of CLOCK_MONOTONIC, everywhere but at the libev boundary. */
#ifndef HUBBUB_BASE_CLOCK_H
#define HUBBUB_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)
#define CLOCK_MICROSECOND INT64_C(1000)

/* The present, in nanoseconds; about 20 ns through the vDSO. */
static inline int64_t
clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

/* now + duration, where a duration that reaches past the end of time stays there. */
static inline int64_t
clock_after(int64_t now, int64_t duration)
{
	return duration > INT64_MAX - now ? INT64_MAX : now + duration;
}

#endif
