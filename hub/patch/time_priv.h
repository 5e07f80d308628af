/* Times of libc's, as the hub counts. */
#ifndef HUBBUB_PATCH_TIME_PRIV_H
#define HUBBUB_PATCH_TIME_PRIV_H

#include <hubbub/scheduler.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* How long it is until a deadline on that clock, in nanoseconds, 0 at least. */
int64_t patch_time_left(clockid_t clock, const struct timespec *end);

static inline int64_t
patch_nanoseconds(const struct timespec *time)
{
	if (time->tv_sec >= INT64_MAX / HUB_SECOND)
		return HUB_FOREVER;
	return time->tv_sec * HUB_SECOND + time->tv_nsec;
}

static inline bool
patch_is_valid(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < HUB_SECOND;
}

#endif
