/* libc's times, in the nanoseconds that the hub counts. */
#ifndef HUBBUB_PATCH_TIME_PRIV_H
#define HUBBUB_PATCH_TIME_PRIV_H

#include <hubbub/scheduler.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "hub/base/clock.h"

struct since;

/* Nanoseconds until a deadline on that clock, 0 at least. */
int64_t patch_time_left(clockid_t clock, const struct timespec *end);

/* The sum in nanoseconds of seconds, and of nanoseconds of less than a second; neither is below 0.
 * HUB_FOREVER if the sum is too large. */
static inline int64_t
patch_duration(int64_t seconds, int64_t nanoseconds)
{
	if (seconds >= INT64_MAX / HUB_SECOND)
		return HUB_FOREVER;
	return seconds * HUB_SECOND + nanoseconds;
}

static inline int64_t
patch_nanoseconds(const struct timespec *time)
{
	return patch_duration(time->tv_sec, time->tv_nsec);
}

/* Whether end is valid as a deadline of pthreads' locks; it may lie before the clock's
 * beginning. */
static inline bool
patch_is_time(const struct timespec *end)
{
	return end->tv_nsec >= 0 && end->tv_nsec < HUB_SECOND;
}

/* Whether time is valid as a duration. */
static inline bool
patch_is_valid(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < HUB_SECOND;
}

/* Sleeps, as one of the waits of the call that since belongs to. Returns 0, or -1 with errno EINTR,
 * ECANCELED or others. */
int patch_pause(int64_t nanoseconds, struct since *since);

#endif
