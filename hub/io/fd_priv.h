/* What a hub knows of descriptors: one entry per number, made at the first use and kept. */
#ifndef HUBBUB_IO_FD_PRIV_H
#define HUBBUB_IO_FD_PRIV_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/base/inside.h"
#include "hub/base/loop.h"
#include "hub/io/entry_priv.h"
#include "hub/io/fd.h"
#include "hub/io/layer_kind_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/waiters_priv.h"

/* Enters a number that is new to the hub, with its flags as they are. NULL with errno EBADF,
 * ENOMEM. */
struct hub_fd *fd_enter_watched(struct hub *hub, int fd);

/* Enters a number that the hub has not adopted, and makes it non-blocking. NULL with errno EBADF,
 * ENOMEM. */
struct hub_fd *fd_enter(struct hub *hub, int fd) HUB_INSIDE(fd_enter);

/* The entry of a number, which is only waited for; one that is new to the hub enters now, with its
 * flags as they are. NULL with errno EBADF, ENOMEM. */
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

/* The entry of a number that is read or written and must not block; one that is new to the hub
 * enters now. NULL with errno EBADF, ENOMEM. */
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

/* Enters a descriptor that has just been made, non-blocking: forgets what the number was before.
 * NULL with errno ENOMEM. */
struct hub_fd *fd_enter_new(struct hub *hub, int fd, bool is_stream);

/* A descriptor that is kept across switches, after which its number may be another's. */
struct fd_hold {
	struct hub_fd *entry; /* NULL for none */
	fd_generation generation;
};

static inline struct fd_hold
fd_hold(struct hub_fd *entry)
{
	return (struct fd_hold){entry, entry != NULL ? entry->generation : 0};
}

/* Whether it is still open, and not only its number. */
static inline bool
fd_is_held(const struct fd_hold *hold)
{
	return hold->entry != NULL && hold->entry->generation == hold->generation;
}

/* Whether it is, and its number still means it: for whoever goes on by number after a switch,
 * which others may have used to close that behind the hub's back. Keeps errno. */
bool fd_is_kept(const struct fd_hold *hold);

/* Counts bytes of the hub; other processes read the counter, nobody else writes it. */
static inline void
fd_count_bytes(uint64_t *counter, size_t bytes)
{
	__atomic_store_n(counter, *counter + bytes, __ATOMIC_RELAXED);
}

/* Bytes have come, or gone, over the descriptor. */
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
	entry->exchange &= FD_HAS_COME | FD_IS_BUSY | FD_CAME_SINCE;
}

/* Somebody who waited is told that it can be read, by what may be no call of the hub. */
static inline void
fd_note_readable(struct hub *hub, struct hub_fd *entry)
{
	if (entry->input_has_ended)
		return;
	entry->active_at = hub->now;
	entry->exchange = (entry->exchange & ~FD_IS_SETTLED) | FD_HAS_COME;
}

/* Whether the next receive of the running coroutine is to wait before it tries. */
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

/* ---- numbers that were closed or opened behind the hub's back ---- */

/* What this thread's hub, if it runs one, knows of the number; NULL for nothing. Keeps errno. */
struct hub_fd *fd_known(int fd);

/* Whether somebody waits for one of the numbers. Keeps errno. */
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

/* Makes sure that the entry is about what its number means now: one that is stale is forgotten,
 * which wakes who waits with EBADF, and enters anew. Every wait begins so, but that of a drained
 * stream. Returns false with errno EBADF, ENOMEM. */
bool fd_renew(struct hub_fd *entry) HUB_INSIDE(fd_renew);

/* Whether a number that is in the hub has a layer, which is not that of somebody who had the
 * number before. */
bool fd_has_layer(struct hub_fd *entry);

/* Whether the stream's input was ended, and not that of somebody who had the number before. */
bool fd_input_has_ended(struct hub_fd *entry);

/* The hub forgets the number; who waits for it is woken with that reason. Keeps errno: it is called
 * on the way out of a failure, too. */
void fd_forget(struct hub *hub, struct hub_fd *entry, int reason);

/* Every number that is in the hub; descriptors stay open. */
void fd_forget_all(struct hub *hub, int reason);

/* An epoll set has the number now that is not the hub's. Keeps errno; an unknown one is ignored. */
void fd_note_set(int fd);

/* ---- nowait.c: system calls that do not wait, whatever the number means by now ---- */

/* Before a system call that has no form that does not wait: the number is made non-blocking if it
 * is not. Returns 0, or -1 with errno EBADF. */
int fd_keep_from_blocking(int fd);

/* Whether others may share the open file, who are not to find it non-blocking: a terminal, a pipe,
 * whatever the program got as its standard streams. */
static inline bool
fd_is_shared(const struct hub_fd *entry)
{
	return !entry->is_socket || entry->read.fd <= STDERR_FILENO;
}

/* Such a one is non-blocking for the moment of a call. Returns the flags that it had, or -1 with
 * errno EBADF, for fd_moment_end in either case, which keeps errno. */
int fd_moment_begin(int fd);
void fd_moment_end(int fd, int flags);

/* accept4(2) for the hub, not interrupted by signals. */
int fd_accept_now(int fd, struct sockaddr *address, socklen_t *length);

/* readv(2) and writev(2) on what is no socket. */
ssize_t fd_read_now(int fd, const struct iovec *parts, int count);
ssize_t fd_write_now(int fd, const struct iovec *parts, int count);

/* Whether something can be received from the entry's layer that the kernel knows nothing of. */
static inline bool
layer_has_input(const struct hub_fd *entry)
{
	return entry->layer != NULL && entry->layer->kind->has_input(entry->layer);
}

/* Whether something can be received from a number though the kernel knows nothing of it: what its
 * layer has, or the end of its input (hub_end_input). */
bool fd_has_input(int fd);

/* The layer of a number; NULL if it has none, or the hub does not know it. */
const struct hub_layer *fd_layer(int fd) HUB_INSIDE(fd_layer);

#endif
