/* Times of libc's, as the hub counts. */
#ifndef HUBBUB_PATCH_TIME_PRIV_H
#define HUBBUB_PATCH_TIME_PRIV_H

#include <hubbub/scheduler.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "hub/base/clock.h"

struct since;

/* How long it is until a deadline on that clock, in nanoseconds, 0 at least. */
int64_t patch_time_left(clockid_t clock, const struct timespec *end);

/* Seconds, and nanoseconds of less than one; neither is below 0. HUB_FOREVER where both together
 * cannot be counted in nanoseconds. */
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

/* Of an absolute time of libc's own locks, which may be long before any clock. */
static inline bool
patch_is_time(const struct timespec *end)
{
	return end->tv_nsec >= 0 && end->tv_nsec < HUB_SECOND;
}

static inline bool
patch_is_valid(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < HUB_SECOND;
}

/* Sleeps, as one of a call's waits. Returns 0, or -1 with errno EINTR, ECANCELED or others. */
int patch_pause(int64_t nanoseconds, struct since *since);

#endif
