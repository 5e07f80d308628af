/* Libc's names of the clock and of timers. Whoever sleeps without the hub's help blocks his thread,
 * and in a simulated world everything else with it. */
#include <errno.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "sim/door/door_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/timer_priv.h"
#include "sim/libc/before_priv.h"
#include "sim/loop/job_priv.h"
#include "sim/world/world_priv.h"

/* ---- time ---- */

/* Sleeps, and the world with it. */
EXPORT int
nanosleep(const struct timespec *time, struct timespec *left)
{
	if (!is_in_world())
		return (int)syscall(SYS_nanosleep, time, left);
	if (!threads_run_a_job())
		world_fail("nanosleep, or sleep, blocks the thread: call hub_sleep");
	return kernel_nanosleep(time);
}

EXPORT unsigned
sleep(unsigned seconds)
{
	struct timespec time = {.tv_sec = seconds};

	nanosleep(&time, NULL);
	return 0;
}

EXPORT int
usleep(useconds_t microseconds)
{
	struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};

	return nanosleep(&time, NULL);
}

EXPORT int
clock_gettime(clockid_t clock, struct timespec *now)
{
	return is_in_world() ? kernel_clock(clock, now)
			     : (int)syscall(SYS_clock_gettime, clock, now);
}

EXPORT time_t
time(time_t *seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (seconds != NULL)
		*seconds = now.tv_sec;
	return now.tv_sec;
}

EXPORT int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &precise);
	*now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
	return 0;
}

/* ---- timers ---- */

EXPORT int
timerfd_create(int clock, int flags)
{
	bool is_real = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
	struct file *file;
	int error;

	if (!is_in_world())
		return (int)syscall(SYS_timerfd_create, clock, flags);
	if (!is_real && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME &&
		clock != CLOCK_BOOTTIME_ALARM)
		return failed(EINVAL);
	error = door_refuse_to_make();
	if (error != 0)
		return failed(error);
	file = timer_new(is_real);
	if (file != NULL)
		file->flags = flags & TFD_NONBLOCK ? O_NONBLOCK : 0;
	return door_open(file, flags & TFD_CLOEXEC);
}

EXPORT int
timerfd_gettime(int fd, struct itimerspec *value)
{
	struct file *file;

	if (!files_has(fd))
		return (int)syscall(SYS_timerfd_gettime, fd, value);
	world_tick(DOOR_CALL_TAKES);
	file = files_get(fd);
	return file != NULL ? timer_tell(file, value) : -1;
}

EXPORT int
timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *before)
{
	struct file *file;

	if (!files_has(fd))
		return (int)syscall(SYS_timerfd_settime, fd, flags, value, before);
	world_tick(DOOR_CALL_TAKES);
	file = files_get(fd);
	if (file == NULL || (before != NULL && timer_tell(file, before) != 0))
		return -1;
	return timer_set(file, flags, value);
}
