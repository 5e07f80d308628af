/* Libc's names for looking at several descriptors. A look that does not wait is answered; one that
 * would wait blocks the thread, which is an error of the run: time passes until it is over. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/scheduler.h"
#include "sim/door/door_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/set_priv.h"
#include "sim/libc/before_priv.h"
#include "sim/loop/job_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/world/world_priv.h"

/* ---- waiting ---- */

/* When a wait of so many nanoseconds ends; less than 0: never. */
static int64_t
end_of(int64_t nanoseconds)
{
	return nanoseconds < 0 || nanoseconds > INT64_MAX / 2 ? INT64_MAX
							      : world_now() + nanoseconds;
}

static int64_t
from_milliseconds(int milliseconds)
{
	return milliseconds * HUB_MILLISECOND;
}

static int64_t
from_time(const struct timespec *time)
{
	return time != NULL ? time->tv_sec * HUB_SECOND + time->tv_nsec : -1;
}

/* A wait of a call. */
struct look {
	int64_t last, end;
};

static bool
has_passed(void *object)
{
	const struct look *look = object;

	return world_now() > look->last;
}

static int64_t
end_of_look(void *object)
{
	const struct look *look = object;

	return look->end;
}

/* Whether the call has to look again: something has happened, though perhaps not to it. */
static bool
wait_on(const char *name, const char *instead, int64_t end)
{
	struct look look = {world_now(), end};
	struct pause pause = {name, has_passed, end_of_look, &look};

	if (world_now() >= end)
		return false;
	if (!threads_run_a_job())
		world_fail("%s blocks the thread: call %s", name, instead);
	fiber_pause(&pause);
	return true;
}

/* ---- poll ---- */

static int
poll_until(const char *name, struct pollfd *fds, nfds_t count, int64_t end)
{
	int ready;

	do
		ready = kernel_poll_now(fds, count);
	while (ready == 0 && wait_on(name, "hub_poll", end));
	return ready;
}

EXPORT int
ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec left;

	if (is_in_world())
		return poll_until("ppoll", fds, count, end_of(from_time(timeout)));
	/* The kernel writes what is left of the time. */
	if (timeout != NULL)
		left = *timeout;
	return (int)syscall(SYS_ppoll, fds, count, timeout != NULL ? &left : NULL, mask, _NSIG / 8);
}

EXPORT int
poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec time = {timeout / 1000, timeout % 1000 * 1000000L};

	if (is_in_world())
		return poll_until("poll", fds, count, end_of(from_milliseconds(timeout)));
	return ppoll(fds, count, timeout >= 0 ? &time : NULL, NULL);
}

/* ---- select ---- */

static bool
is_in(const fd_set *set, int fd)
{
	return set != NULL && FD_ISSET(fd, set);
}

/* What select(2) asks for, as poll(2) does. */
static nfds_t
ask(struct pollfd *fds, int count, const fd_set *in, const fd_set *out, const fd_set *urgent)
{
	nfds_t asked = 0;

	for (int fd = 0; fd < count && fd < FD_SETSIZE; fd++) {
		int events = (is_in(in, fd) ? POLLIN : 0) | (is_in(out, fd) ? POLLOUT : 0) |
			     (is_in(urgent, fd) ? POLLPRI : 0);

		if (events != 0)
			fds[asked++] = (struct pollfd){fd, (short)events, 0};
	}
	return asked;
}

/* Leaves those in the set that asked for the event, and have one of these. */
static int
keep(fd_set *set, const struct pollfd *fds, nfds_t count, short event, int events)
{
	int kept = 0;

	if (set == NULL)
		return 0;
	FD_ZERO(set);
	for (nfds_t i = 0; i < count; i++)
		if ((fds[i].events & event) && (fds[i].revents & events)) {
			FD_SET(fds[i].fd, set);
			kept++;
		}
	return kept;
}

static int
select_until(const char *name, int count, fd_set *in, fd_set *out, fd_set *urgent, int64_t end)
{
	static struct pollfd fds[FD_SETSIZE];
	nfds_t asked = ask(fds, count, in, out, urgent);

	if (poll_until(name, fds, asked, end) == -1)
		return -1;
	for (nfds_t i = 0; i < asked; i++)
		if (fds[i].revents & POLLNVAL)
			return failed(EBADF);
	return keep(in, fds, asked, POLLIN, POLLIN | POLLHUP | POLLERR) +
	       keep(out, fds, asked, POLLOUT, POLLOUT | POLLERR) +
	       keep(urgent, fds, asked, POLLPRI, POLLPRI);
}

EXPORT int
pselect(int count, fd_set *in, fd_set *out, fd_set *urgent, const struct timespec *timeout,
	const sigset_t *mask)
{
	struct {
		const sigset_t *mask;
		size_t size;
	} masks = {mask, _NSIG / 8};
	struct timespec left;

	if (is_in_world())
		return select_until("pselect", count, in, out, urgent, end_of(from_time(timeout)));
	if (timeout != NULL)
		left = *timeout;
	return (int)syscall(
		SYS_pselect6, count, in, out, urgent, timeout != NULL ? &left : NULL, &masks);
}

EXPORT int
select(int count, fd_set *in, fd_set *out, fd_set *urgent, struct timeval *timeout)
{
	struct timespec time = {0};
	int result;

	if (timeout != NULL)
		time = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000};
	if (is_in_world())
		return select_until("select", count, in, out, urgent,
			end_of(from_time(timeout != NULL ? &time : NULL)));
	result = (int)syscall(
		SYS_pselect6, count, in, out, urgent, timeout != NULL ? &time : NULL, NULL);
	/* As the kernel's: what is left of the time. */
	if (timeout != NULL)
		*timeout = (struct timeval){time.tv_sec, time.tv_nsec / 1000};
	return result;
}

/* ---- epoll ---- */

EXPORT int
epoll_create1(int flags)
{
	return is_in_world() ? kernel_epoll_create1(flags) : real_epoll_create1(flags);
}

EXPORT int
epoll_create(int size)
{
	return size > 0 ? epoll_create1(0) : failed(EINVAL);
}

EXPORT int
epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	return kernel_epoll_ctl(set, operation, fd, event);
}

static int
epoll_until(const char *name, int set, struct epoll_event *events, int most, int64_t end)
{
	int ready;

	if (most <= 0)
		return failed(EINVAL);
	do
		ready = kernel_epoll_wait_now(set, events, most);
	while (ready == 0 && wait_on(name, "hub_wait_fd on the set, then epoll_wait", end));
	return ready;
}

EXPORT int
epoll_pwait(int set, struct epoll_event *events, int most, int timeout, const sigset_t *mask)
{
	if (files_has(set))
		return epoll_until(
			"epoll_wait", set, events, most, end_of(from_milliseconds(timeout)));
	return (int)syscall(SYS_epoll_pwait, set, events, most, timeout, mask, _NSIG / 8);
}

EXPORT int
epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
	return epoll_pwait(set, events, most, timeout, NULL);
}

EXPORT int
epoll_pwait2(int set, struct epoll_event *events, int most, const struct timespec *timeout,
	const sigset_t *mask)
{
	if (files_has(set))
		return epoll_until("epoll_pwait2", set, events, most, end_of(from_time(timeout)));
	return (int)syscall(SYS_epoll_pwait2, set, events, most, timeout, mask, _NSIG / 8);
}
