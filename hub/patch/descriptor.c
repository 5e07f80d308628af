/* What the application believes of its file descriptors.
 *
 * The kernel is the record: a socket is asked with MSG_DONTWAIT and a pipe with RWF_NOWAIT, so
 * O_NONBLOCK is what the application has made it, in this process and in every other that has the
 * open file, and nothing has to be restored after dup, fork or exec. There is one exception:
 * descriptors that the hub has made non-blocking by its own calls. The table below keeps what the
 * application believes of those where the hub does not know it: of their duplicates, and of what
 * the application has set since. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/fork.h>
#include <hubbub/io/fd.h>
#include <hubbub/io/own.h>
#include <hubbub/scheduler.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/filelock_priv.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/given_priv.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/real_priv.h"
#include "hub/patch/time_priv.h"

/* File descriptors from this one on are waited for like all others, but nothing is kept of them. */
#define TABLE_SIZE GENERATION_NUMBERS

enum view {
	VIEW_KERNEL,      /* O_NONBLOCK is the application's, unless hub_made_nonblocking */
	VIEW_BLOCKING,    /* the hub has set it, the application has not */
	VIEW_NONBLOCKING, /* the application has set it, after the hub */
};

/* table: per fd its view, and its group: duplicates (dup(2)) share one, 0 is none. marks: per fd
 * the file that the entry is about. highest: the highest fd with an entry. */
static _Atomic uint32_t table[TABLE_SIZE];
static _Atomic uint64_t marks[TABLE_SIZE];
static atomic_uint groups;
static atomic_int highest = -1;

/* Per fd, the generation plus one at which this thread's hub last waited for it; 0: never. So an fd
 * that another thread has closed and reopened is not taken for the file it was. */
static _Thread_local uint32_t *seen;
static _Thread_local int seen_size;
static pthread_key_t seen_key;

#define ENTRY(view, group) ((uint32_t)(view) | (uint32_t)(group) << 2)

/* The file behind fd, as far as fstat(2) tells one from another; 0 if fd is closed. */
static uint64_t
mark_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (uint64_t)status.st_ino ^ (uint64_t)status.st_dev << 40
				       : 0;
}

/* An entry about another file does not count: the fd was closed and opened by none of libc's
 * calls. */
static enum view
view_of(int fd)
{
	enum view view;

	if (fd < 0 || fd > atomic_load_explicit(&highest, memory_order_acquire))
		return VIEW_KERNEL;
	view = (enum view)(atomic_load(&table[fd]) & 3);
	return view == VIEW_KERNEL || atomic_load(&marks[fd]) == mark_of(fd) ? view : VIEW_KERNEL;
}

static void
set(int fd, uint32_t entry)
{
	int most = atomic_load(&highest);

	while (fd > most && !atomic_compare_exchange_weak(&highest, &most, fd))
		continue;
	atomic_store(&marks[fd], mark_of(fd));
	atomic_store(&table[fd], entry);
}

/* Sets the view of fd and of all its duplicates. */
static void
set_view(int fd, enum view view)
{
	uint32_t group = table[fd] >> 2;

	if (group == 0)
		group = atomic_fetch_add(&groups, 1) + 1;
	else
		for (int other = 0; other <= atomic_load(&highest); other++)
			if (table[other] >> 2 == group)
				atomic_store(&table[other], ENTRY(view, group));
	set(fd, ENTRY(view, group));
}

bool
descriptor_is_nonblocking(int fd)
{
	int flags;

	switch (view_of(fd)) {
	case VIEW_BLOCKING:
		return false;
	case VIEW_NONBLOCKING:
		return true;
	default:
		if (hub_made_nonblocking(fd))
			return false;
		flags = kernel_fcntl(fd, F_GETFL, 0);
		return flags != -1 && (flags & O_NONBLOCK);
	}
}

bool
descriptor_is_hidden(int fd)
{
	enum view view = view_of(fd);

	return view == VIEW_BLOCKING || view == VIEW_NONBLOCKING ||
	       (view == VIEW_KERNEL && hub_made_nonblocking(fd));
}

/* At a thread's end. The thread may still close descriptors, in destructors that run later. */
static void
forget_seen(void *memory)
{
	free(memory);
	seen = NULL;
	seen_size = 0;
}

static __attribute__((constructor)) void
start(void)
{
	REAL(pthread_key_create)(&seen_key, forget_seen);
}

/* Makes room for fd. Returns false without memory: fd is then taken as unchanged. */
static bool
seen_grow(int fd)
{
	int size = seen_size != 0 ? seen_size : 64;
	uint32_t *larger;

	while (size <= fd)
		size *= 2;
	larger = realloc(seen, (size_t)size * sizeof *larger);
	if (larger == NULL)
		return false;
	memset(larger + seen_size, 0, (size_t)(size - seen_size) * sizeof *larger);
	seen = larger;
	seen_size = size;
	REAL(pthread_setspecific)(seen_key, seen);
	return true;
}

void
descriptor_look(int fd)
{
	uint32_t now;

	if (fd < 0 || fd >= TABLE_SIZE || (fd >= seen_size && !seen_grow(fd)))
		return;
	/* 0 stands for never. */
	now = generation_of(fd) + 1;
	/* The hub itself knows about descriptors that it has made. */
	if (seen[fd] != now && seen[fd] != 0 && !hub_made_nonblocking(fd))
		hub_closed(fd);
	seen[fd] = now;
}

/* Whether the tables have to be updated. Never in a child of vfork(2), whose memory is its
 * parent's. */
static bool
is_kept(void)
{
	return (hub_is_running() || generation_is_asked() ||
		       atomic_load_explicit(&highest, memory_order_relaxed) >= 0) &&
	       !hub_is_vforked();
}

/* fd is closed, or means another file: coroutines of this thread's hub that wait for it get
 * EBADF. */
static void
forget(int fd)
{
	if (fd >= 0 && fd < TABLE_SIZE) {
		uint32_t now = generation_next(fd) + 1;

		if (hub_is_running() && !interrupt_in_handler() && fd < seen_size)
			seen[fd] = now;
	}
	/* A signal handler may have interrupted the hub itself: descriptor_look tells the hub
	 * later. */
	if (hub_is_running() && !interrupt_in_handler())
		hub_closed(fd);
	if (fd >= 0 && fd <= atomic_load_explicit(&highest, memory_order_acquire))
		atomic_store(&table[fd], 0);
}

void
descriptor_new(int fd)
{
	given_forget(fd);
	if (fd >= 0 && is_kept())
		forget(fd);
}

void
descriptor_range_new(unsigned first, unsigned last)
{
	long most = sysconf(_SC_OPEN_MAX);

	/* Cheaper than given_forget for each fd. */
	given_note();
	if (!is_kept())
		return;
	/* The limit may be a billion, but nothing is kept beyond the table. */
	for (unsigned fd = first; fd <= last && (long)fd < most && fd < TABLE_SIZE; fd++)
		if (!hub_owns((int)fd))
			forget((int)fd);
}

void
descriptor_copy(int fd, int to)
{
	if (to < 0 || fd == to)
		return;
	given_forget(fd);
	given_forget(to);
	if (!is_kept())
		return;
	forget(to);
	if (fd < 0 || fd >= TABLE_SIZE || to >= TABLE_SIZE)
		return;
	if (view_of(fd) != VIEW_KERNEL)
		set(to, atomic_load(&table[fd]));
	else if (hub_made_nonblocking(fd)) {
		/* The hub has made fd non-blocking and does not know of its duplicate. */
		set_view(fd, VIEW_BLOCKING);
		set(to, atomic_load(&table[fd]));
	}
}

/* ---- patience ---- */

static int64_t
socket_timeout(int fd, short events)
{
	struct timeval time = {0};
	socklen_t size = sizeof time;

	if (getsockopt(fd, SOL_SOCKET, events == POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO, &time,
		    &size) != 0)
		return HUB_FOREVER;
	if (time.tv_sec == 0 && time.tv_usec == 0)
		return HUB_FOREVER;
	return patch_duration(time.tv_sec, time.tv_usec * HUB_MICROSECOND);
}

int64_t
patience_left(struct patience *patience)
{
	int64_t now;

	if (patience->is_begun && patience->end == HUB_FOREVER)
		return HUB_FOREVER;
	now = hub_now();
	if (!patience->is_begun) {
		patience->is_begun = true;
		patience->end = clock_after(now, socket_timeout(patience->fd, patience->events));
	}
	if (patience->end == HUB_FOREVER)
		return HUB_FOREVER;
	return patience->end > now ? patience->end - now : 0;
}

/* patience_wait in a child of vfork(2), where no coroutine may run: the thread itself waits. */
static bool
wait_by_thread(struct patience *patience, int64_t left)
{
	unsigned before = interrupt_endings();
	int result; /* poll(2)'s */
	do {
		struct pollfd query = {patience->fd, patience->events, 0};

		result = REAL(ppoll)(&query, 1,
			left == HUB_FOREVER
				? NULL
				: &(struct timespec){left / HUB_SECOND, left % HUB_SECOND},
			NULL);
	} while (result == -1 && errno == EINTR && left == HUB_FOREVER &&
		 interrupt_endings() == before);
	if (result == 0)
		errno = EAGAIN;
	if (result > 0 && patience->events == POLLOUT && ++patience->tries > 2)
		REAL(usleep)(1000);
	return result > 0;
}

bool
patience_wait(struct patience *patience, int flags)
{
	uint32_t generation = generation_of(patience->fd);
	struct interruptible wait;
	int64_t left;
	int result;

	/* For MSG_ERRQUEUE and MSG_OOB the kernel never waits either. */
	if ((flags & MSG_DONTWAIT) ||
		(patience->events == POLLIN && (flags & (MSG_ERRQUEUE | MSG_OOB))) ||
		descriptor_is_nonblocking(patience->fd)) {
		errno = EAGAIN;
		return false;
	}
	left = patience_left(patience);
	if (hub_is_vforked())
		return wait_by_thread(patience, left);
	descriptor_look(patience->fd);
	/* A call on a socket with a timeout is not restarted after a signal handler: signal(7). */
	interruptible_begin(&wait,
		left == HUB_FOREVER || patience->restarts ? WAIT_RESTARTED : WAIT_ENDED,
		&patience->since);
	result = hub_await_fd(patience->fd, patience->events, left);
	/* Writable, yet it takes nothing: a datagram socket whose receiver is full, for which
	 * poll(2) cannot wait. So the call pauses instead. */
	if (result > 0 && patience->events == POLLOUT && ++patience->tries > 2 &&
		hub_sleep(HUB_MILLISECOND * (patience->tries < 16 ? patience->tries : 16)) != 0)
		result = -1;
	interruptible_end(&wait);
	if (result == 0)
		errno = EAGAIN;
	if (result <= 0)
		return false;
	errno = EBADF;
	return generation_of(patience->fd) == generation;
}

/* ---- O_NONBLOCK as the application sees it ---- */

/* O_NONBLOCK that the hub has set is replaced by what the application believes. */
static int
get_flags(int fd)
{
	int flags = REAL(fcntl)(fd, F_GETFL);

	if (flags != -1 && descriptor_is_hidden(fd))
		flags = descriptor_is_nonblocking(fd) ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return flags;
}

/* O_NONBLOCK that the hub has set stays set; what the application asks for goes into the table. */
static int
set_flags(int fd, int flags)
{
	int result;

	if (!descriptor_is_hidden(fd) || fd >= TABLE_SIZE)
		return REAL(fcntl)(fd, F_SETFL, flags);
	result = REAL(fcntl)(fd, F_SETFL, flags | O_NONBLOCK);
	if (result == 0)
		set_view(fd, flags & O_NONBLOCK ? VIEW_NONBLOCKING : VIEW_BLOCKING);
	return result;
}

PATCH_EXPORT int
fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;
	int result;

	/* As libc does it: int or pointer, the argument is in the same register. */
	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	switch (command) {
	case F_GETFL:
		return get_flags(fd);
	case F_SETFL:
		return set_flags(fd, (int)(intptr_t)argument);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		result = REAL(fcntl)(fd, command, argument);
		descriptor_copy(fd, result);
		return result;
	case F_SETLKW:
	case F_OFD_SETLKW:
		if (patch_suspends(HUB_PATCH_OS))
			return filelock_wait(fd, command, argument);
		return REAL(fcntl)(fd, command, argument);
	default:
		return REAL(fcntl)(fd, command, argument);
	}
}

extern __typeof__(fcntl) fcntl64 __attribute__((alias("fcntl"))) PATCH_EXPORT;
extern __typeof__(fcntl) __fcntl __attribute__((alias("fcntl"))) PATCH_EXPORT;

PATCH_EXPORT int
ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == FIONBIO && argument != NULL && descriptor_is_hidden(fd) && fd < TABLE_SIZE) {
		set_view(fd, *(int *)argument != 0 ? VIEW_NONBLOCKING : VIEW_BLOCKING);
		return 0;
	}
	return REAL(ioctl)(fd, request, argument);
}

/* ---- what a new program inherits ---- */

void
descriptor_set_inherited(bool is_nonblocking)
{
	int most = atomic_load(&highest), error = errno;

	for (int fd = 0; fd <= most; fd++) {
		int flags;

		if (view_of(fd) != VIEW_BLOCKING || (kernel_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC))
			continue;
		flags = kernel_fcntl(fd, F_GETFL, 0);
		if (flags != -1)
			kernel_fcntl(fd, F_SETFL,
				is_nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
	}
	errno = error;
}
