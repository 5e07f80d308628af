/* Sleeping, by hub_sleep. A sleep that ends at a time of CLOCK_REALTIME looks at that clock every
 * second, because the clock may be set meanwhile. */
#include <errno.h>
#include <hubbub/fork.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/real_priv.h"
#include "hub/patch/time_priv.h"

/* How often CLOCK_REALTIME, which can be set, is looked at. */
#define LOOK_AGAIN HUB_SECOND

static struct timespec
time_of(int64_t nanoseconds)
{
	return (struct timespec){nanoseconds / HUB_SECOND, nanoseconds % HUB_SECOND};
}

int
patch_pause(int64_t nanoseconds, struct since *since)
{
	struct interruptible wait;
	int result;

	if (hub_is_vforked()) {
		struct timespec time = time_of(nanoseconds);

		return REAL(nanosleep)(&time, NULL);
	}
	interruptible_begin(&wait, WAIT_ENDED, since);
	result = hub_sleep(nanoseconds);
	interruptible_end(&wait);
	return result;
}

int64_t
patch_time_left(clockid_t clock, const struct timespec *end)
{
	struct timespec now;
	int64_t left;

	/* Before the beginning of every clock. */
	if (end->tv_sec < 0)
		return 0;
	clock_gettime(clock, &now);
	if (end->tv_sec - now.tv_sec > INT64_MAX / HUB_SECOND / 2)
		return HUB_FOREVER;
	left = (end->tv_sec - now.tv_sec) * HUB_SECOND + end->tv_nsec - now.tv_nsec;
	return left > 0 ? left : 0;
}

int
patch_nanosleep(const struct timespec *time, struct timespec *left)
{
	int64_t began = hub_now(), wanted;

	if (time == NULL)
		return REAL(nanosleep)(time, left);
	if (!patch_is_valid(time))
		return failed(EINVAL);
	wanted = patch_nanoseconds(time);
	if (patch_pause(wanted, &(struct since){0}) == 0)
		return 0;
	if (left != NULL && wanted != HUB_FOREVER) {
		int64_t slept = hub_now() - began;

		*left = time_of(slept < wanted ? wanted - slept : 0);
	} else if (left != NULL) {
		*left = *time;
	}
	return -1;
}

/* thrd_sleep(3) returns -1 if interrupted, -2 for any other error, and leaves errno alone. */
int
patch_thrd_sleep(const struct timespec *time, struct timespec *left)
{
	int before = errno, error = patch_nanosleep(time, left) == 0 ? 0 : errno;

	errno = before;
	return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

unsigned
patch_sleep(unsigned seconds)
{
	struct timespec time = {seconds, 0}, left;

	if (patch_nanosleep(&time, &left) == 0)
		return 0;
	/* To the nearest second, as libc has it; 1 at least, since 0 means a whole sleep. */
	seconds = (unsigned)left.tv_sec + (left.tv_nsec >= HUB_SECOND / 2);
	return seconds > 0 ? seconds : 1;
}

int
patch_usleep(useconds_t microseconds)
{
	return patch_pause(microseconds * HUB_MICROSECOND, &(struct since){0});
}

/* Sleeps until a time of the clock. Returns 0 or an errno. */
static int
sleep_until(clockid_t clock, const struct timespec *end)
{
	struct since since = {0};
	int64_t left;

	while ((left = patch_time_left(clock, end)) > 0)
		if (patch_pause(clock == CLOCK_REALTIME && left > LOOK_AGAIN ? LOOK_AGAIN : left,
			    &since) != 0)
			return errno;
	return 0;
}

int
patch_clock_nanosleep(
	clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	int error = errno, result;

	/* CPU-time clocks advance while other coroutines run, so they are left to libc; and libc
	 * reports what is invalid. */
	if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME) ||
		time == NULL || !patch_is_valid(time))
		return REAL(clock_nanosleep)(clock, flags, time, left);
	if (flags & TIMER_ABSTIME)
		result = sleep_until(clock, time);
	else
		result = patch_nanosleep(time, left) == 0 ? 0 : errno;
	errno = error;
	return result;
}
