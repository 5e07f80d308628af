/* Waiting for several file descriptors: poll, select, epoll_wait and their kin. select is carried
 * out by poll; for an epoll set the coroutine waits for the set's own fd, which is readable when
 * there are events. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/io/fd.h>
#include <hubbub/io/poll.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/real_priv.h"
#include "hub/patch/time_priv.h"

/* A select of so many fds takes no memory but the stack's. */
#define SMALL 16

/* Milliseconds between two looks at the fds that select leaves out: poll_for_bits. */
#define LOOK_AGAIN 20

static int
poll_interruptibly(
	struct pollfd *fds, nfds_t count, int timeout, bool is_masked, struct since *since)
{
	struct interruptible wait;
	int result;

	/* Only if the call waits. The array can be read: the kernel has just done so. */
	if (timeout != 0 && kernel_poll_now(fds, count) == 0)
		for (nfds_t i = 0; i < count; i++)
			descriptor_look(fds[i].fd);
	interruptible_begin(&wait, is_masked ? WAIT_MASKED : WAIT_ENDED, since);
	result = hub_poll(fds, count, timeout);
	interruptible_end(&wait);
	return result;
}

int
patch_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return poll_interruptibly(fds, count, timeout, false, &(struct since){0});
}

/* In milliseconds, rounded up; -1 for HUB_FOREVER. */
static int
milliseconds(int64_t nanoseconds)
{
	int64_t rounded;

	if (nanoseconds == HUB_FOREVER)
		return -1;
	rounded = nanoseconds / HUB_MILLISECOND + (nanoseconds % HUB_MILLISECOND != 0);
	return rounded > INT_MAX ? INT_MAX : (int)rounded;
}

static int
time_left(int64_t end)
{
	int64_t left = end == HUB_FOREVER ? HUB_FOREVER : end - hub_now();

	return milliseconds(left > 0 ? left : 0);
}

/* The timeout in milliseconds, -1 for NULL. Returns false with errno EINVAL. */
static bool
take_timeout(const struct timespec *timeout, int *result)
{
	if (timeout != NULL && !patch_is_valid(timeout)) {
		errno = EINVAL;
		return false;
	}
	*result = timeout == NULL ? -1 : milliseconds(patch_nanoseconds(timeout));
	return true;
}

int
patch_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	struct masked masked;
	int time, result = -1;

	if (!take_timeout(timeout, &time))
		return -1;
	if (masked_begin(&masked, mask))
		result = poll_interruptibly(fds, count, time, mask != NULL, &(struct since){0});
	masked_end(&masked);
	return result;
}

/* ---- select, by poll ---- */

/* Whether the set has fd. Sets may be longer than fd_set, so bits are found by word. */
static bool
is_in(const fd_set *set, int fd)
{
	const unsigned long *words = (const unsigned long *)(const void *)set;

	return set != NULL && (words[fd / NFDBITS] >> (fd % NFDBITS) & 1);
}

static void
add(fd_set *set, int fd)
{
	unsigned long *words = (unsigned long *)(void *)set;

	words[fd / NFDBITS] |= 1UL << (fd % NFDBITS);
}

static void
clear(fd_set *set, int count)
{
	if (set != NULL)
		memset(set, 0, (size_t)(count + NFDBITS - 1) / NFDBITS * sizeof(unsigned long));
}

/* Stores a pollfd for each fd that is in any set, as far as there is room. Returns how many such
 * fds there are. */
static int
to_poll(int count, fd_set *sets[3], struct pollfd *fds, int room)
{
	static const short events[] = {POLLIN, POLLOUT, POLLPRI};
	int used = 0;

	for (int fd = 0; fd < count; fd++) {
		short wanted = 0;

		for (int i = 0; i < 3; i++)
			wanted |= is_in(sets[i], fd) ? events[i] : 0;
		if (wanted == 0)
			continue;
		if (used < room)
			fds[used] = (struct pollfd){fd, wanted, 0};
		used++;
	}
	return used;
}

/* Whether what poll(2) has reported of this fd sets its bit in the first, second or third set, by
 * the rules of select(2). */
static bool
belongs(const struct pollfd *one, int set)
{
	static const short ready[] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};
	static const short asked[] = {POLLIN, POLLOUT, POLLPRI};

	return (one->events & asked[set]) && (one->revents & ready[set]);
}

/* Returns how many bits are to be set, or -1 with errno EBADF. */
static int
count_bits(const struct pollfd *fds, int used)
{
	int bits = 0;

	for (int i = 0; i < used; i++) {
		if (fds[i].revents & POLLNVAL)
			return failed(EBADF);
		for (int set = 0; set < 3; set++)
			bits += belongs(&fds[i], set);
	}
	return bits;
}

static void
from_poll(int count, fd_set *sets[3], const struct pollfd *fds, int used)
{
	for (int set = 0; set < 3; set++) {
		clear(sets[set], count);
		for (int i = 0; i < used; i++)
			if (belongs(&fds[i], set))
				add(sets[set], fds[i].fd);
	}
}

/* leave_out hides the fds of which poll(2) has reported something from the next poll, by a negative
 * fd; take_in shows them again. */
static void
leave_out(struct pollfd *fds, int used)
{
	for (int i = 0; i < used; i++)
		if (fds[i].revents != 0)
			fds[i].fd = ~fds[i].fd;
}

static void
take_in(struct pollfd *fds, int used)
{
	for (int i = 0; i < used; i++)
		if (fds[i].fd < 0)
			fds[i].fd = ~fds[i].fd;
}

/* poll(2) always reports hang-ups and errors; select(2) reports no hang-up to writers, and no error
 * to callers that wait for urgent bytes. An fd that reports only those is left out while the other
 * fds are waited for, and looked at again every LOOK_AGAIN ms. Returns as select(2), with the bits
 * counted and not set. */
static int
poll_for_bits(struct pollfd *fds, int used, int timeout, bool is_masked)
{
	int64_t end = timeout >= 0 ? hub_now() + timeout * HUB_MILLISECOND : HUB_FOREVER;
	struct since since = {0};

	for (;;) {
		int result = poll_interruptibly(fds, (nfds_t)used, timeout, is_masked, &since);
		int bits = result > 0 ? count_bits(fds, used) : result;

		if (result <= 0 || bits != 0 || timeout == 0)
			return bits;
		leave_out(fds, used);
		timeout = time_left(end);
		result = poll_interruptibly(fds, (nfds_t)used,
			timeout >= 0 && timeout < LOOK_AGAIN ? timeout : LOOK_AGAIN, is_masked,
			&since);
		take_in(fds, used);
		if (result < 0)
			return result;
		timeout = time_left(end);
	}
}

/* As many fds of the first count as the process's table has room for: the kernel looks at no more
 * of the sets, and a caller that passes a larger count may have smaller sets. */
static int
room_for_descriptors(int count)
{
	char text[2048], *size;
	int fd = kernel_open("/proc/self/status", O_RDONLY | O_CLOEXEC, 0), room = FD_SETSIZE;
	ssize_t length = fd != -1 ? kernel_read(fd, text, sizeof text - 1) : -1;

	if (fd != -1)
		kernel_close(fd);
	if (length > 0) {
		text[length] = '\0';
		size = strstr(text, "\nFDSize:");
		room = size != NULL ? atoi(size + 8) : room;
	}
	return count < room ? count : room;
}

/* select(2) of the fds below count. */
static int
select_among(int count, fd_set *sets[3], int timeout, bool is_masked)
{
	struct pollfd small[SMALL], *fds = small;
	int used, result;

	used = to_poll(count, sets, small, SMALL);
	if (used > SMALL) {
		fds = calloc((size_t)used, sizeof *fds);
		if (fds == NULL)
			return -1;
		to_poll(count, sets, fds, used);
	}
	result = poll_for_bits(fds, used, timeout, is_masked);
	if (result >= 0)
		from_poll(count, sets, fds, used);
	if (fds != small)
		free(fds);
	return result;
}

static int
select_by_poll(int count, fd_set *sets[3], int timeout, bool is_masked)
{
	int result, room;

	if (count < 0)
		return failed(EINVAL);
	if (count > FD_SETSIZE)
		count = room_for_descriptors(count);
	result = select_among(count, sets, timeout, is_masked);
	if (result != -1 || errno != EBADF)
		return result;
	/* Fds beyond the process's table are closed, and the kernel does not look at them. */
	room = room_for_descriptors(count);
	errno = EBADF;
	return room < count ? select_among(room, sets, timeout, is_masked) : -1;
}

/* In nanoseconds; tv_usec may be more than a second. */
static int64_t
duration_of(const struct timeval *timeout)
{
	const int64_t second = HUB_SECOND / HUB_MICROSECOND;
	int64_t more = timeout->tv_usec / second;

	return patch_duration(timeout->tv_sec + more, timeout->tv_usec % second * HUB_MICROSECOND);
}

int
patch_select(int count, fd_set *reads, fd_set *writes, fd_set *others, struct timeval *timeout)
{
	fd_set *sets[] = {reads, writes, others};
	int64_t began = hub_now(), wanted = HUB_FOREVER;
	int result;

	if (timeout != NULL) {
		if (timeout->tv_sec < 0 || timeout->tv_usec < 0 ||
			timeout->tv_usec / 1000000 > INT64_MAX - timeout->tv_sec)
			return failed(EINVAL);
		wanted = duration_of(timeout);
	}
	result = select_by_poll(count, sets, milliseconds(wanted), false);
	/* Linux stores how much time was left. */
	if (timeout != NULL && wanted != HUB_FOREVER) {
		int64_t left = wanted - (hub_now() - began);

		left = left > 0 && result != 0 ? left : 0;
		*timeout = (struct timeval){left / HUB_SECOND, left % HUB_SECOND / HUB_MICROSECOND};
	}
	return result;
}

int
patch_pselect(int count, fd_set *reads, fd_set *writes, fd_set *others,
	const struct timespec *timeout, const sigset_t *mask)
{
	fd_set *sets[] = {reads, writes, others};
	struct masked masked;
	int time, result = -1;

	if (!take_timeout(timeout, &time))
		return -1;
	if (masked_begin(&masked, mask))
		result = select_by_poll(count, sets, time, mask != NULL);
	masked_end(&masked);
	return result;
}

/* ---- epoll: its own descriptor is readable when there are events ---- */

static int
wait_for_events(int fd, struct epoll_event *events, int count, int timeout, enum wait_kind kind)
{
	int64_t end = timeout > 0 ? hub_now() + timeout * HUB_MILLISECOND : HUB_FOREVER;
	uint32_t generation = generation_of(fd);
	struct since since = {0};
	int result = REAL(epoll_wait)(fd, events, count, 0);

	while (result == 0 && timeout != 0) {
		int64_t left = end == HUB_FOREVER ? HUB_FOREVER : end - hub_now();
		struct interruptible wait;
		int ready;

		if (left <= 0)
			return 0;
		descriptor_look(fd);
		interruptible_begin(&wait, kind, &since);
		ready = hub_await_fd(fd, POLLIN, left);
		interruptible_end(&wait);
		if (ready <= 0)
			return ready;
		/* Another thread has closed fd. */
		if (generation_of(fd) != generation)
			return failed(EBADF);
		/* Another caller may have taken the events. */
		result = REAL(epoll_wait)(fd, events, count, 0);
	}
	return result;
}

/* libev's calls come past here, too: hub_epoll_ctl spares libev the errors of closed fds, at which
 * it would abort. */
int
patch_epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	return hub_epoll_ctl(set, operation, fd, event);
}

int
patch_epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	return wait_for_events(fd, events, count, timeout, WAIT_ENDED);
}

int
patch_epoll_pwait(int fd, struct epoll_event *events, int count, int timeout, const sigset_t *mask)
{
	struct masked masked;
	int result = -1;

	if (masked_begin(&masked, mask))
		result = wait_for_events(
			fd, events, count, timeout, mask != NULL ? WAIT_MASKED : WAIT_ENDED);
	masked_end(&masked);
	return result;
}

int
patch_epoll_pwait2(int fd, struct epoll_event *events, int count, const struct timespec *timeout,
	const sigset_t *mask)
{
	int time;

	if (!take_timeout(timeout, &time))
		return -1;
	return patch_epoll_pwait(fd, events, count, time, mask);
}
