/* What libev hears from the kernel.
 *
 * libev 4.33, as Debian builds it, ends the process by an assertion when epoll_ctl(2) says EBADF,
 * ELOOP or EINVAL of a descriptor, and when poll(2) says POLLNVAL; of any other error it tells the
 * watchers (EV_ERROR). Nobody can make sure beforehand that a number is open when libev comes to
 * it: another thread may close it at any time. So these two calls stand before libc's, and while a
 * hub polls they say the same in words that libev bears. For everybody else they are libc's own.
 *
 * In a program that loads this library at run time (dlopen(3)) libev finds libc's calls first, and
 * asserts. One into which it is preloaded with hub/patch has them from there. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"

#define EXPORT __attribute__((visibility("default")))

static bool
hub_polls(void)
{
	return hub_this != NULL && hub_this->is_polling;
}

int
hub_epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	int result = kernel_epoll_ctl(set, operation, fd, event);

	/* These it expects. */
	if (__builtin_expect(
		    result == 0 || errno == EEXIST || errno == ENOENT || errno == EPERM, 1))
		return result;
	if (hub_polls()) {
		hub_this->watch_error = errno;
		errno = ENOSPC;
	}
	return result;
}

extern __typeof__(epoll_ctl) epoll_ctl __attribute__((alias("hub_epoll_ctl"))) EXPORT;

/* What libev does not expect; without this it would abort at each. */
static void
on_system_error(const char *what)
{
	/* Whoever has closed all numbers, as closefrom(3) does, has closed the loop's own, too: it
	 * makes others before it polls again, and tells what it watched. */
	if (errno == EBADF && hub_polls()) {
		ev_loop_fork(hub_this->loop);
		return;
	}
	kernel_dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	abort();
}

void
libev_start(void)
{
	ev_set_syserr_cb(on_system_error);
}

typedef int poll_fn(struct pollfd *fds, nfds_t count, int timeout);

static poll_fn *next_poll;

/* Before a signal's handler may want it. */
static __attribute__((constructor)) void
find_poll(void)
{
	next_poll = (poll_fn *)dlsym(RTLD_NEXT, "poll");
}

EXPORT int
poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int result;

	if (__builtin_expect(next_poll == NULL, 0))
		find_poll();
	result = next_poll(fds, count, timeout);
	if (result <= 0 || !hub_polls())
		return result;
	/* Whoever waits asks again, and is told. */
	for (nfds_t i = 0; i < count; i++)
		if (fds[i].revents & POLLNVAL)
			fds[i].revents = POLLERR;
	return result;
}
