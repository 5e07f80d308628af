/* Time, as the kernel tells it to the running fiber: that of its host. */
#include <sched.h>
#include <time.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/scheduler.h"
#include "sim/invariants/greed_priv.h"
#include "sim/machine/clock_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/sim.h"
#include "sim/world/world_priv.h"

#define LOOK_TAKES 100

int
kernel_clock(clockid_t clock, struct timespec *now)
{
	struct clock *here;
	int64_t time;

	if (!world_exists())
		return real_clock(clock, now);
	here = fiber_host() != NULL ? host_clock(fiber_host()) : NULL;
	/* An allocator looks at it as often as it likes, which must change nothing; also for the
	 * world's own memory, before there is a host and after. */
	if (clock == CLOCK_MONOTONIC_COARSE || here == NULL) {
		time = here != NULL ? clock_coarse(here) : world_now();
	} else {
		world_tick(LOOK_TAKES);
		greed_looked();
		time = clock == CLOCK_REALTIME ? clock_real(here) : clock_monotonic(here);
	}
	*now = (struct timespec){time / HUB_SECOND, time % HUB_SECOND};
	return 0;
}

/* A sleep of a fiber. */
struct nap {
	struct clock *clock;
	int64_t end;
};

static bool
is_over(void *object)
{
	const struct nap *nap = object;

	return clock_monotonic(nap->clock) >= nap->end;
}

static int64_t
end_of(void *object)
{
	const struct nap *nap = object;

	return clock_shows_at(nap->clock, nap->end);
}

/* Blocks the thread; the rest of the world goes on. */
int
kernel_nanosleep(const struct timespec *time)
{
	struct nap nap;
	struct pause pause = {"the end of a sleep", is_over, end_of, &nap};

	if (!world_exists())
		return (int)syscall(SYS_nanosleep, time, NULL);
	nap.clock = host_clock(fiber_host());
	nap.end = clock_monotonic(nap.clock) + time->tv_sec * HUB_SECOND + time->tv_nsec;
	fiber_pause(&pause);
	return 0;
}

/* Whoever waits for another thread lets it run. */
int
kernel_sched_yield(void)
{
	if (!world_exists())
		return sched_yield();
	fiber_pause(NULL);
	return 0;
}

/* In the world each hub has a CPU: how many the machine has must not count. */
int
kernel_sched_getaffinity(size_t size, cpu_set_t *set)
{
	return world_exists() ? failed(EINVAL) : sched_getaffinity(0, size, set);
}

void
hub_sim_jump(int64_t nanoseconds)
{
	if (!world_exists())
		return;
	world_note("CLOCK_REALTIME jumps by %ld ns", (long)nanoseconds, 0, 0);
	clock_jump(host_clock(fiber_host()), nanoseconds);
}
