/* Sleeping. */
#include <errno.h>
#include <hubbub/fork.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/real_priv.h"
#include "hub/patch/time_priv.h"

/* A clock that can be set is looked at so often. */
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

	/* No clock has ever been there. */
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

/* It has negative numbers for errors, of which one is an interruption, and leaves errno alone. */
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
	/* To the nearest second, as libc has it: at least one, or it would look as if it had
	 * slept. */
	seconds = (unsigned)left.tv_sec + (left.tv_nsec >= HUB_SECOND / 2);
	return seconds > 0 ? seconds : 1;
}

int
patch_usleep(useconds_t microseconds)
{
	return patch_pause(microseconds * HUB_MICROSECOND, &(struct since){0});
}

/* Until a time of the clock, which may be set meanwhile. */
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

	/* Those of CPU time pass with what others do, too; libc says what is wrong. */
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
