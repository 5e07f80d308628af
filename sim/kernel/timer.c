/* A timer counts when somebody looks: what is going to happen is only the next expiration, and
 * until a read has taken it, no other. So a timer that nobody reads does not keep a world busy. */
#include "sim/kernel/timer_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/scheduler.h"
#include "sim/kernel/file_priv.h"
#include "sim/machine/clock_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/world/world_priv.h"

struct timer {
	struct file file;    /* must be first */
	struct list link;    /* in reals */
	bool is_real;        /* by CLOCK_REALTIME */
	bool follows;        /* set to a time of that clock, so its jumps move it */
	bool may_cancel;     /* TFD_TIMER_CANCEL_ON_SET */
	bool is_canceled;    /* the clock has jumped, which no read has told yet */
	uint64_t expired;    /* times that were not read, up to the last jump */
	struct clock *clock; /* its host's; not owned */
	int64_t due;         /* of clock_monotonic; INT64_MAX: not set */
	int64_t looked_at;   /* when somebody looks next, in the world's time */
	int64_t interval;    /* 0: once */
};

static struct timer *
timer_of(struct file *file)
{
	return (struct timer *)(void *)file;
}

static struct list reals = {&reals, &reals}; /* timers of CLOCK_REALTIME */

/* Expirations that nobody has counted yet. */
static uint64_t
fresh(const struct timer *timer)
{
	int64_t late = clock_monotonic(timer->clock) - timer->due;

	if (late < 0)
		return 0;
	return timer->interval != 0 ? 1 + (uint64_t)(late / timer->interval) : 1;
}

/* Expirations that were not read. */
static uint64_t
expirations(const struct timer *timer)
{
	return timer->expired + fresh(timer);
}

/* Counts them; the next one is due later, or never. */
static void
count(struct timer *timer)
{
	uint64_t more = fresh(timer);

	timer->expired += more;
	if (more != 0)
		timer->due = timer->interval != 0 ? timer->due + (int64_t)more * timer->interval
						  : INT64_MAX;
}

static void wait_for_it(struct timer *timer);

/* The timer expires, unless it was set anew meanwhile, or its clock runs slower than before. */
static void
expire(void *object)
{
	struct timer *timer = object;

	if (expirations(timer) != 0)
		file_changed(&timer->file);
	else if (timer->looked_at <= world_now())
		wait_for_it(timer);
	file_release(&timer->file);
}

static void
wait_for_it(struct timer *timer)
{
	int64_t now = world_now();

	if (timer->due == INT64_MAX)
		return;
	file_hold(&timer->file);
	timer->looked_at = clock_shows_at(timer->clock, timer->due);
	world_after(timer->looked_at > now ? timer->looked_at - now : 0, expire, timer);
}

/* A timer that was set to a time of the clock expires when that shows it. */
static void
follow(const struct clock *clock, int64_t by)
{
	LIST_EACH (link, &reals) {
		struct timer *timer = CONTAINER_OF(link, struct timer, link);

		if (timer->clock != clock || !timer->follows)
			continue;
		count(timer);
		if (timer->due != INT64_MAX)
			timer->due -= by;
		timer->is_canceled |= timer->may_cancel;
		wait_for_it(timer);
		if (timer->is_canceled)
			file_changed(&timer->file);
	}
}

static ssize_t
timer_receive(struct file *file, struct transfer *transfer)
{
	struct timer *timer = timer_of(file);
	uint64_t expired;
	bool is_canceled = timer->is_canceled;

	if (transfer->length < sizeof expired)
		return failed(EINVAL);
	count(timer);
	expired = timer->expired;
	if (expired == 0 && !is_canceled)
		return failed(EAGAIN);
	timer->expired = 0;
	timer->is_canceled = false;
	wait_for_it(timer);
	file_changed(file);
	if (is_canceled)
		return failed(ECANCELED);
	memcpy(transfer->parts[0].iov_base, &expired, sizeof expired);
	return sizeof expired;
}

static short
timer_ready(const struct file *file)
{
	const struct timer *timer = (const struct timer *)(const void *)file;

	return timer->is_canceled || expirations(timer) != 0 ? POLLIN : 0;
}

/* What is going to happen finds it unset. */
static void
timer_close(struct file *file)
{
	timer_of(file)->due = INT64_MAX;
	if (timer_of(file)->is_real)
		list_remove(&timer_of(file)->link);
}

static const struct file_kind timer_kind = {
	.what = "timerfd", .receive = timer_receive, .ready = timer_ready, .free = timer_close};

struct file *
timer_new(bool is_real)
{
	struct timer *timer = calloc(1, sizeof *timer);

	if (timer == NULL)
		return NULL;
	file_init(&timer->file, &timer_kind, 0);
	timer->is_real = is_real;
	timer->clock = host_clock(fiber_host());
	timer->due = INT64_MAX;
	if (is_real)
		list_append(&reals, &timer->link);
	clock_jumps = follow;
	return &timer->file;
}

/* ---- setting ---- */

static bool
is_time(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < HUB_SECOND;
}

/* Times beyond the world's are as good as never. */
static int64_t
to_nanoseconds(const struct timespec *time)
{
	return time->tv_sec < INT64_MAX / HUB_SECOND / 4 ? time->tv_sec * HUB_SECOND + time->tv_nsec
							 : INT64_MAX / 4;
}

static struct timespec
to_time(int64_t nanoseconds)
{
	return (struct timespec){nanoseconds / HUB_SECOND, nanoseconds % HUB_SECOND};
}

int
timer_tell(struct file *file, struct itimerspec *value)
{
	const struct timer *timer = timer_of(file);
	int64_t left = 0;

	if (file->kind != &timer_kind)
		return failed(EINVAL);
	if (timer->due != INT64_MAX && (timer->interval != 0 || expirations(timer) == 0))
		left = timer->due + (int64_t)fresh(timer) * timer->interval -
		       clock_monotonic(timer->clock);
	*value = (struct itimerspec){to_time(timer->interval), to_time(left)};
	return 0;
}

int
timer_set(struct file *file, int flags, const struct itimerspec *value)
{
	struct timer *timer = timer_of(file);
	int64_t first;

	if (file->kind != &timer_kind || !is_time(&value->it_value) ||
		!is_time(&value->it_interval) ||
		(flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)))
		return failed(EINVAL);
	first = to_nanoseconds(&value->it_value);
	timer->interval = to_nanoseconds(&value->it_interval);
	timer->follows = timer->is_real && (flags & TFD_TIMER_ABSTIME) != 0;
	timer->may_cancel = timer->follows && (flags & TFD_TIMER_CANCEL_ON_SET) != 0;
	timer->is_canceled = false;
	timer->expired = 0;
	if (first == 0)
		timer->due = INT64_MAX;
	else if (flags & TFD_TIMER_ABSTIME)
		timer->due = first - (timer->is_real ? clock_ahead(timer->clock) : 0);
	else
		timer->due = clock_monotonic(timer->clock) + first;
	wait_for_it(timer);
	file_changed(file);
	return 0;
}
