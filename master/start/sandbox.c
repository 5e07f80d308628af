/* Each system call is tried with an invalid argument, so that a try has no effect: a call that is
 * allowed fails with EINVAL, EBADF or the like, a call that is refused with EPERM, EACCES or
 * ENOSYS. */
#include "master/start/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/log.h"

#define DESCRIPTORS "/proc/self/fd"

/* ---- what is needed ---- */

/* No try can succeed: a call that is allowed rejects an argument. */

static long
ask_accept(void)
{
	return accept4(-1, NULL, NULL, 0);
}

static long
ask_clone(void)
{
	/* ENOSYS is no refusal here: libc falls back to clone then, but not if clone3 is
	 * forbidden. */
	long result = syscall(SYS_clone3, NULL, 0);

	if (result == -1 && errno == ENOSYS)
		errno = EINVAL;
	return result;
}

static long
ask_epoll(void)
{
	return epoll_create1(-1);
}

static long
ask_eventfd(void)
{
	return eventfd(0, -1);
}

static long
ask_record_locks(void)
{
	return fcntl(-1, F_SETLK, NULL);
}

static long
ask_memfd(void)
{
	return syscall(SYS_memfd_create, NULL, ~0U);
}

static long
ask_poll(void)
{
	return syscall(SYS_ppoll, NULL, 1, NULL, NULL, ~0UL);
}

static long
ask_recvmsg(void)
{
	return recvmsg(-1, NULL, 0);
}

static long
ask_sendmsg(void)
{
	return sendmsg(-1, NULL, 0);
}

static long
ask_reuseport(void)
{
	return setsockopt(-1, SOL_SOCKET, SO_REUSEPORT, NULL, 0);
}

static long
ask_socketpair(void)
{
	return socketpair(-1, 0, 0, NULL);
}

static long
ask_peer(void)
{
	return getsockopt(-1, SOL_SOCKET, SO_PEERCRED, NULL, NULL);
}

static long
ask_parent_death(void)
{
	return prctl(PR_SET_PDEATHSIG, -1, 0, 0, 0);
}

static long
ask_pidfd(void)
{
	return pidfd_open(-1, 0);
}

static long
ask_timer(void)
{
	return timer_create(INT_MAX, NULL, NULL);
}

static const struct {
	const char *call;
	long (*ask)(void);
	const char *cost; /* what refusal costs; NULL: the server cannot do without the call */
} calls[] = {
	{"accept4", ask_accept, NULL},
	{"clone3", ask_clone, NULL},
	{"epoll_create1", ask_epoll, NULL},
	{"eventfd2", ask_eventfd, NULL},
	{"fcntl with F_SETLK", ask_record_locks, NULL},
	{"memfd_create", ask_memfd, NULL},
	{"ppoll", ask_poll, NULL},
	{"recvmsg", ask_recvmsg, NULL},
	{"sendmsg", ask_sendmsg, NULL},
	{"setsockopt with SO_REUSEPORT", ask_reuseport, NULL},
	{"socketpair", ask_socketpair, NULL},
	{"getsockopt with SO_PEERCRED", ask_peer,
		"hubbub-ctl is refused, because its user cannot be determined; use signals"},
	{"pidfd_open", ask_pidfd, "the server cannot be upgraded while it runs"},
	{"prctl with PR_SET_PDEATHSIG", ask_parent_death,
		"a worker that is stopped (SIGSTOP) when the master dies stays, and keeps its "
		"sockets"},
	{"timer_create", ask_timer,
		"a worker that hangs when the master dies stays, and keeps its sockets"},
};

bool
sandbox_is_refusal(int error)
{
	return error == EPERM || error == EACCES || error == ENOSYS;
}

static bool
is_refused(long (*ask)(void))
{
	return ask() == -1 && sandbox_is_refusal(errno);
}

int
sandbox_check(void)
{
	int result = 0;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (!is_refused(calls[i].ask))
			continue;
		if (calls[i].cost == NULL) {
			log_error("cannot start: the system refuses %s (%s); allow it in the "
				  "sandbox (seccomp profile, SystemCallFilter=), or use a newer "
				  "kernel",
				calls[i].call, strerror(errno));
			result = -1;
		} else {
			log_warning("the system refuses %s (%s): %s", calls[i].call,
				strerror(errno), calls[i].cost);
		}
	}
	return result;
}

bool
sandbox_has_pidfds(void)
{
	return !is_refused(ask_pidfd);
}

/* ---- fallbacks ---- */

/* Closes all file descriptors in the range that /proc lists. Returns false if /proc cannot be
 * read. */
static bool
close_listed(unsigned first, unsigned last)
{
	bool has_closed = true;
	DIR *directory = NULL;

	/* Closing a file descriptor removes its entry, and readdir may then skip the next: list
	 * again until a pass closes nothing. */
	while (has_closed && (directory = opendir(DESCRIPTORS)) != NULL) {
		const struct dirent *entry;

		has_closed = false;
		while ((entry = readdir(directory)) != NULL) {
			char *end;
			unsigned long fd = strtoul(entry->d_name, &end, 10);

			if (end != entry->d_name && *end == '\0' && fd >= first && fd <= last &&
				(int)fd != dirfd(directory) && close((int)fd) == 0)
				has_closed = true;
		}
		closedir(directory);
	}
	return directory != NULL || !has_closed;
}

int
sandbox_close_range(unsigned first, unsigned last)
{
	struct rlimit limit;

	if (close_range(first, last, 0) == 0)
		return 0;
	if (!sandbox_is_refusal(errno))
		return -1;
	if (close_listed(first, last))
		return 0;
	/* The hard limit, because the soft limit may have been higher when a file was opened. */
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -1;
	for (rlim_t fd = first; fd <= last && fd < limit.rlim_max; fd++)
		close((int)fd);
	return 0;
}

int
sandbox_kill(pid_t pid, int pidfd, int signal)
{
	struct pollfd death = {.fd = pidfd, .events = POLLIN};

	if (pidfd != -1 && pidfd_send_signal(pidfd, signal, NULL, 0) == 0)
		return 0;
	if (pidfd != -1 && !sandbox_is_refusal(errno))
		return -1;
	if (pidfd != -1 && poll(&death, 1, 0) == 1) {
		errno = ESRCH;
		return -1;
	}
	return kill(pid, signal);
}
