/* The library's own fds, of all threads: one bit for each, set and cleared atomically. libev opens
 * its fds by libc's calls, and keeps the numbers that it gets: so two of these calls replace libc's
 * (before_made.c), and while a hub is made, or polls, they return high fds. */
#include "hub/io/own.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/fork_priv.h"
#include "hub/io/own_priv.h"
#include "hub/scheduler_priv.h"

/* The kernel's table is as long as the highest fd, so these are not too high. Where the limit is
 * low, the lower SHARE of it is left to the program. */
#define FIRST 768
#define SHARE 3 / 4

#define NUMBERS 4096 /* higher fds are not recorded; hardly any is ours */
#define WORD 64

static _Atomic uint64_t own[NUMBERS / WORD];

static _Thread_local bool is_making;

static int
first_number(void)
{
	struct rlimit limit;

	if (kernel_getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur * SHARE > FIRST)
		return FIRST;
	return (int)(limit.rlim_cur * SHARE);
}

static int
move(int fd)
{
	int moved = kernel_fcntl(fd, F_DUPFD_CLOEXEC, first_number());

	/* All high fds are taken: avoid the standard streams at least. */
	if (moved == -1 && fd <= STDERR_FILENO)
		moved = kernel_fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (moved != -1)
		kernel_close(fd);
	return moved != -1 ? moved : fd;
}

int
hub_own(int fd)
{
	int error = errno;

	if (fd == -1)
		return -1;
	fd = move(fd);
	if (fd < NUMBERS)
		atomic_fetch_or(&own[fd / WORD], UINT64_C(1) << fd % WORD);
	errno = error;
	return fd;
}

void
hub_disown(int fd)
{
	if (fd >= 0 && fd < NUMBERS)
		atomic_fetch_and(&own[fd / WORD], ~(UINT64_C(1) << fd % WORD));
}

bool
hub_polls(void)
{
	return hub_this != NULL && hub_this->is_polling;
}

static bool
is_libevs_turn(void)
{
	return is_making || hub_polls();
}

int
hub_own_next(int fd)
{
	for (fd = fd > 0 ? fd : 0; fd < NUMBERS; fd++) {
		uint64_t word = atomic_load_explicit(&own[fd / WORD], memory_order_relaxed);

		if (word == 0)
			fd |= WORD - 1;
		else if (word >> fd % WORD & 1)
			return is_libevs_turn() || hub_is_inherited() ? -1 : fd;
	}
	return -1;
}

bool
hub_owns(int fd)
{
	return fd >= 0 && fd < NUMBERS &&
	       (atomic_load_explicit(&own[fd / WORD], memory_order_relaxed) >> fd % WORD & 1) &&
	       hub_own_next(fd) == fd;
}

/* ---- libev's ---- */

static int
made(int fd)
{
	struct hub *hub = hub_this;

	if (fd == -1 || !is_libevs_turn() || hub->owns == sizeof hub->own / sizeof hub->own[0])
		return fd;
	return hub->own[hub->owns++] = hub_own(fd);
}

int
own_epoll_create1(int flags)
{
	return made(kernel_epoll_create1(flags));
}

int
own_eventfd(unsigned count, int flags)
{
	return made(kernel_eventfd(count, flags));
}

void
own_forget(struct hub *hub)
{
	while (hub->owns > 0)
		hub_disown(hub->own[--hub->owns]);
}

void
own_begin(void)
{
	CHECK(!is_making);
	is_making = true;
}

void
own_end(void)
{
	CHECK(is_making);
	is_making = false;
}

/* ---- in a child process ---- */

/* Whether libev will close the fd itself, when this thread's loop is destroyed. */
static bool
is_of_loop(int fd)
{
	for (size_t i = 0; hub_this != NULL && i < hub_this->owns; i++)
		if (hub_this->own[i] == fd)
			return true;
	return false;
}

/* The library's fds have no file type. An fd with one is the program's, which has closed ours by a
 * system call. */
static void
close_left(int fd)
{
	struct stat status;

	if (!is_of_loop(fd) && kernel_fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == 0)
		kernel_close(fd);
}

/* In a child: closes the fds of the parent's hubs, of all threads. */
static void
reset(void)
{
	for (int i = 0; i < NUMBERS / WORD; i++) {
		uint64_t word = atomic_exchange(&own[i], 0);

		for (int bit = 0; word != 0; bit++, word >>= 1)
			if (word & 1)
				close_left(i * WORD + bit);
	}
}

static __attribute__((constructor(200))) void
register_reset(void)
{
	fork_on_child(reset);
}
