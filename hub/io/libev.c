/* Errors of the kernel, translated for libev.
 *
 * libev 4.33, as Debian builds it, ends the process by an assertion when epoll_ctl(2) fails with
 * EBADF, ELOOP or EINVAL, and when poll(2) reports POLLNVAL; any other error it reports to the
 * watchers (EV_ERROR). No check beforehand can ensure that an fd is open when libev uses it, since
 * another thread may close it at any time. So these two calls replace libc's, and while a hub polls
 * they report such errors in a form that libev accepts. For all other callers they are libc's own.
 *
 * before.c gives them libc's names. In a program that loads this library at run time (dlopen(3))
 * libev finds libc's calls first, and asserts. In a program into which hub/patch is preloaded they
 * come from libhubbub-patch. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/base/shortage.h"
#include "hub/io/fd_priv.h"
#include "hub/io/libev_priv.h"
#include "hub/io/own_priv.h"

#define TRIES_MOST 16 /* 1.3 s */

/* The entry of an fd, without checking what the fd refers to, which could stop watchers inside
 * libev's loop over them. */
static struct hub_fd *
entry_of(int fd)
{
	struct hub *hub = hub_this;
	struct hub_fd *entry = (unsigned)fd < hub->fds.size ? fd_entry(hub, fd) : NULL;

	return entry != NULL && entry->generation != 0 ? entry : NULL;
}

/* Whether the fd is libev's own: the eventfd or pipe by which other threads and signals wake the
 * hub. */
static bool
is_of_loop(int fd)
{
	return entry_of(fd) == NULL && kernel_fcntl(fd, F_GETFD, 0) != -1;
}

/* Without that fd no other thread could wake the hub, and libev asserts that it has it: so try
 * again for a while, since the cause may pass, such as a lack of memory. */
static int
insist(int set, int operation, int fd, struct epoll_event *event)
{
	struct timespec pause = {.tv_nsec = 1000000};
	char words[256];

	for (int tries = 0; tries < TRIES_MOST; tries++) {
		if (kernel_epoll_ctl(set, operation, fd, event) == 0)
			return 0;
		kernel_nanosleep(&pause);
		pause.tv_nsec += pause.tv_nsec / 2;
	}
	snprintf(words, sizeof words,
		"hub: the kernel refuses to watch the fd that wakes the hub (epoll_ctl: %s), which "
		"would be deaf: memory, fs.epoll.max_user_watches, or a filter of system calls",
		strerror(errno));
	log_fault(words);
	abort();
}

/* The kernel reports EPERM for a file that cannot be watched, and libev takes such an fd for always
 * ready. A socket can be watched: a filter of system calls has refused it, and libev would report
 * it in each turn. */
static bool
is_always_ready(int error, int fd)
{
	struct stat status;

	return error == EPERM && (kernel_fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode));
}

/* libev asks for what the set has already, after each report of an fd's end or error: it takes
 * EPOLLHUP and EPOLLERR for events that were not asked for. */
static bool
is_set_already(const struct hub_fd *entry, int operation, const struct epoll_event *event)
{
	return entry != NULL && entry->is_set_to_read && operation == EPOLL_CTL_MOD &&
	       event->events == EPOLLIN;
}

int
hub_epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	/* While the hub polls, the caller is libev. */
	struct hub_fd *entry = hub_polls() ? entry_of(fd) : NULL;
	int result, error;

	if (is_set_already(entry, operation, event))
		return 0;
	result = kernel_epoll_ctl(set, operation, fd, event);
	error = errno;
	if (entry != NULL)
		entry->is_set_to_read =
			result == 0 && operation != EPOLL_CTL_DEL && event->events == EPOLLIN;
	if (operation == EPOLL_CTL_ADD && result == 0 && !hub_polls())
		fd_note_set(fd);
	if (__builtin_expect(result == 0 || error == EEXIST || error == ENOENT, 1) || !hub_polls())
		return result;
	if (operation != EPOLL_CTL_DEL && is_of_loop(fd))
		return insist(set, operation, fd, event);
	if (is_always_ready(error, fd)) {
		errno = error;
		return result;
	}
	hub_this->watch_error = error;
	errno = ENOSPC;
	return result;
}

/* Called for errors that libev does not handle; without it libev aborts. */
static void
on_system_error(const char *what)
{
	char words[256];

	/* The program has closed all fds, as closefrom(3) does, the loop's own included: libev
	 * makes new ones before it polls again, and watches everything anew. */
	if (errno == EBADF && hub_polls()) {
		own_forget(hub_this);
		ev_loop_fork(hub_this->loop);
		return;
	}
	/* It makes its epoll set anew also after a report of a descriptor that it has forgotten. */
	if (shortage_wait(errno, "watch descriptors"))
		return;
	snprintf(words, sizeof words, "%s: %s", what, strerror(errno));
	log_fault(words);
	abort();
}

void
libev_start(void)
{
	ev_set_syserr_cb(on_system_error);
}

typedef int ppoll_fn(
	struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask);

static ppoll_fn *next_ppoll;

/* What comes behind this library as poll may be libhubbub's (before.c), which comes back here, also
 * by way of libhubbub-patch; nothing comes back from ppoll. A static program has libc's alone.
 * At start, since dlsym(3) must not be called in a signal handler. */
static __attribute__((constructor)) void
find_ppoll(void)
{
	next_ppoll = (ppoll_fn *)dlsym(RTLD_NEXT, "ppoll");
	if (next_ppoll == NULL)
		next_ppoll = ppoll;
}

int
libev_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec time = {timeout / 1000, timeout % 1000 * 1000000L};
	int result;

	if (__builtin_expect(next_ppoll == NULL, 0))
		find_ppoll();
	result = next_ppoll(fds, count, timeout < 0 ? NULL : &time, NULL);
	if (result <= 0 || !hub_polls())
		return result;
	/* The waiter then makes its system call, which reports EBADF. */
	for (nfds_t i = 0; i < count; i++)
		if (fds[i].revents & POLLNVAL)
			fds[i].revents = POLLERR;
	return result;
}
