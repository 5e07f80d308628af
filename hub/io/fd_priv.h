/* What a hub knows of file descriptors: one entry per fd, made at the first use and kept. */
#ifndef HUBBUB_IO_FD_PRIV_H
#define HUBBUB_IO_FD_PRIV_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/inside.h"
#include "hub/base/loop.h"
#include "hub/io/entry_priv.h"
#include "hub/io/fd.h"
#include "hub/io/layer_kind_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/waiters_priv.h"

/* Enters an fd that is new to the hub, and leaves its flags alone. NULL with errno EBADF,
 * ENOMEM. */
struct hub_fd *fd_enter_watched(struct hub *hub, int fd);

/* Enters an fd that the hub has not adopted, and makes it non-blocking. NULL with errno EBADF,
 * ENOMEM. */
struct hub_fd *fd_enter(struct hub *hub, int fd) HUB_INSIDE(fd_enter);

/* The entry of an fd that is only waited for; a new one enters, and keeps its flags. NULL with
 * errno EBADF, ENOMEM. */
static inline struct hub_fd *
fd_lookup_watched(struct hub *hub, int fd)
{
	if (__builtin_expect((unsigned)fd < hub->fds.size, 1)) {
		struct hub_fd *entry = fd_entry(hub, fd);

		if (__builtin_expect(entry->generation != 0, 1))
			return entry;
	}
	return fd_enter_watched(hub, fd);
}

/* The entry of an fd that is read or written and must not block; a new one enters. NULL with errno
 * EBADF, ENOMEM. */
static inline struct hub_fd *
fd_lookup(struct hub *hub, int fd)
{
	if (__builtin_expect((unsigned)fd < hub->fds.size, 1)) {
		struct hub_fd *entry = fd_entry(hub, fd);

		if (__builtin_expect(entry->is_adopted, 1))
			return entry;
	}
	return fd_enter(hub, fd);
}

/* Enters an fd that was just made, non-blocking; whatever the hub knew of that fd is forgotten.
 * NULL with errno ENOMEM. */
struct hub_fd *fd_enter_new(struct hub *hub, int fd, bool is_stream);

/* A reference to an open file that survives switches, after which the fd may refer to another. */
struct fd_hold {
	struct hub_fd *entry; /* NULL for none */
	fd_generation generation;
};

static inline struct fd_hold
fd_hold(struct hub_fd *entry)
{
	DCHECK(entry == NULL || entry->generation != 0);
	return (struct fd_hold){entry, entry != NULL ? entry->generation : 0};
}

/* Whether the hub still knows the fd as the same open file. Makes no system call. */
static inline bool
fd_is_held(const struct fd_hold *hold)
{
	return hold->entry != NULL && hold->entry->generation == hold->generation;
}

/* fd_is_held, and the kernel agrees: for callers that go on with the fd after a switch, in which
 * another coroutine may have closed it behind the hub's back. Keeps errno. */
bool fd_is_kept(const struct fd_hold *hold);

/* Adds to a counter that only the hub's thread writes, and other processes read. */
static inline void
fd_add_bytes(uint64_t *counter, size_t bytes)
{
	__atomic_store_n(counter, *counter + bytes, __ATOMIC_RELAXED);
}

/* Counts and records what a call has received or sent. */
static inline void
fd_count_received(struct hub *hub, const struct hub_fd *entry, size_t bytes)
{
	fd_add_bytes(&hub->counters->bytes_received, bytes);
	record(hub, FLIGHT_RECEIVED, (uint32_t)entry->read.fd, bytes);
}

static inline void
fd_count_sent(struct hub *hub, const struct hub_fd *entry, size_t bytes)
{
	fd_add_bytes(&hub->counters->bytes_sent, bytes);
	record(hub, FLIGHT_SENT, (uint32_t)entry->read.fd, bytes);
}

/* Bytes were received, or sent, over the descriptor. */
static inline void
fd_note_received(struct hub *hub, struct hub_fd *entry)
{
	entry->active_at = hub->now;
	entry->exchange |= FD_HAS_COME | FD_IS_ASKED | FD_CAME_SINCE;
}

static inline void
fd_note_sent(struct hub *hub, struct hub_fd *entry)
{
	entry->active_at = hub->now;
	entry->exchange &= FD_KEPT_BY_SENDING;
}

/* A stream is about to receive, and holds a part of a request or none. The part may have come with
 * the request before it, whose answer was sent since. */
static inline void
fd_note_part(struct hub_fd *entry, bool has_part)
{
	if (has_part)
		entry->exchange |= FD_HAS_COME | FD_HAS_PART;
	else if (entry->exchange & FD_IS_ASKED)
		entry->exchange &= (uint8_t)~FD_HAS_PART;
	else
		entry->exchange &= (uint8_t) ~(FD_HAS_PART | FD_WAS_SEEN);
}

/* A coroutine that waited learns that the fd is readable; it may receive by a call that is not the
 * hub's. */
static inline void
fd_note_readable(struct hub *hub, struct hub_fd *entry)
{
	if (entry->input_has_ended)
		return;
	entry->active_at = hub->now;
	entry->exchange = (entry->exchange & ~FD_IS_SETTLED) | FD_HAS_COME;
}

/* The kernel has failed a transfer. That a connection is lost it tells once. */
static inline void
fd_note_failure(struct hub_fd *entry)
{
	if (errno == ECONNRESET || errno == ETIMEDOUT || errno == EHOSTUNREACH ||
		errno == ENETUNREACH)
		entry->lost = (uint8_t)errno & 127;
}

/* A call has failed after it had moved a part, which it returns instead of errno. A scope's
 * ETIMEDOUT needs no record: until it is stopped the next call meets it, too. */
static inline void
fd_leave_error(struct hub_fd *entry)
{
	if (errno == entry->lost)
		entry->owes_loss = true;
}

/* At the end of the stream: the errno that a call before has left, 0 for none. It is told once. */
int fd_take_loss(struct hub_fd *entry);

/* Whether the running coroutine's next receive must wait before it tries. */
static inline bool
fd_is_drained(const struct hub_fd *entry)
{
	return __builtin_expect(entry->drained_for != NULL, 0) &&
	       (entry->drained_for == hub_this->current || entry->drained_for == FD_ANYBODY);
}

static inline void
fd_set_drained(struct hub_fd *entry, bool is_drained)
{
	entry->drained_for = is_drained ? hub_this->current : NULL;
}

/* ---- fds that were closed or opened behind the hub's back ---- */

/* The entry of an fd that this thread's hub knows; NULL for none, or without a hub. Keeps errno. */
struct hub_fd *fd_known(int fd);

/* Whether a coroutine waits for one of the fds. Keeps errno. */
static inline bool
fd_are_awaited(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct hub_fd *entry = fd_known(fds[i]);

		if (entry != NULL && (entry->readers != NULL || entry->writers != NULL))
			return true;
	}
	return false;
}

/* Whether the loop watches the fd for all that coroutines wait for. */
static inline bool
fd_is_watched(const struct hub_fd *entry)
{
	return (entry->readers == NULL || ev_is_active(&entry->read)) &&
	       (entry->writers == NULL || ev_is_active(&entry->write));
}

/* Makes sure that the entry is about the open file that the fd refers to: a stale entry is
 * forgotten, which wakes its waiters with EBADF, and enters anew. Every wait begins so, except that
 * of a drained stream. Returns false with errno EBADF, ENOMEM. */
bool fd_renew(struct hub_fd *entry) HUB_INSIDE(fd_renew);

/* Whether an fd that is in the hub has a layer; false if only its former open file had one. */
bool fd_has_layer(struct hub_fd *entry);

/* Whether the input of the stream was ended; false if only that of the fd's former open file
 * was. */
bool fd_input_has_ended(struct hub_fd *entry);

/* Makes the hub forget the fd; its waiters are woken with reason. Keeps errno, since it is called
 * after failures, too. */
void fd_forget(struct hub *hub, struct hub_fd *entry, int reason);

/* Forgets every fd of the hub; all stay open. */
void fd_forget_all(struct hub *hub, int reason);

/* The application has put the fd into an epoll set of its own. Keeps errno; an unknown fd is
 * ignored. */
void fd_note_set(int fd);

/* ---- nowait.c: system calls that do not wait, whatever the fd refers to ---- */

/* Called before a system call that has no form that does not wait: makes the fd non-blocking if it
 * is not. Returns 0, or -1 with errno EBADF. */
int fd_keep_from_blocking(int fd);

/* Whether other processes may share the open file, and must not find it non-blocking: a terminal, a
 * pipe, or any standard stream. */
static inline bool
fd_is_shared(const struct hub_fd *entry)
{
	return !entry->is_socket || entry->read.fd <= STDERR_FILENO;
}

/* Makes a shared file non-blocking for one call. Returns its former flags, or -1 with errno EBADF.
 * fd_moment_end must follow in either case; it keeps errno. */
int fd_moment_begin(int fd);
void fd_moment_end(int fd, int flags);

/* accept4(2), non-blocking, and repeated after EINTR. */
int fd_accept_now(int fd, struct sockaddr *address, socklen_t *length);

/* fd_accept_now, of a listener that was found or made non-blocking since other code ran. */
int fd_accept_next(int fd, struct sockaddr *address, socklen_t *length);

/* readv(2) and writev(2), without waiting, on files that are no sockets. */
ssize_t fd_read_now(int fd, const struct iovec *parts, int count);
ssize_t fd_write_now(int fd, const struct iovec *parts, int count);

/* Whether the entry's layer has bytes to receive that the kernel does not see. */
static inline bool
layer_has_input(const struct hub_fd *entry)
{
	return entry->layer != NULL && entry->layer->kind->has_input(entry->layer);
}

/* Whether an fd is readable though the kernel does not say so: its layer has bytes, or its input
 * has ended (hub_end_input). */
bool fd_has_input(int fd);

/* The layer of an fd; NULL if it has none, or the hub does not know it. */
const struct hub_layer *fd_layer(int fd) HUB_INSIDE(fd_layer);

#endif
