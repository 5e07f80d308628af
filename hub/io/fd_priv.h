/* What a hub knows of descriptors: one entry per number, made at the first use and kept. */
#ifndef HUBBUB_IO_FD_PRIV_H
#define HUBBUB_IO_FD_PRIV_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "hub/base/loop.h"
#include "hub/io/fd.h"
#include "hub/io/layer_priv.h"
#include "hub/io/table_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/waiters_priv.h"

/* Unique in its hub, and 0 while no descriptor of the number is in the hub: so whoever has waited knows whether the entry is
 * still about the same. */
typedef uint64_t fd_generation;

/* One number. What receiving and waiting touch is in the first two cache lines.
 *
 * - The read watcher is level-triggered, started at the first wait and left on; it stops when it
 *   fires and nobody waits. So a connection that alternates between receiving and waiting costs no
 *   epoll_ctl. The write watcher runs only while somebody waits to write.
 * - drained_for: the coroutine whose last receive took all there was, so that its next one waits before it tries; the
 *   read watcher's event clears it. Holds for stream sockets only, where a short read says so. Others try first: they may
 *   know the number from elsewhere.
 * - input_has_ended: whoever receives is told of the end of the stream when nothing is left to receive.
 * - opening: another one after each close of the number, as far as the hub knows of it; a release leaves it. So whoever is
 *   to close the number, or to end it from outside, knows whether it still is what it was. */
struct hub_fd {
	ev_io read;
	struct hub_waiter *readers;
	bool is_adopted; /* the hub has seen to it that it does not block */
	bool is_woken;   /* a reader was woken and has not run yet: the event is being dealt with */
	bool is_fresh;   /* its waits are looked at next: see sweep.c */
	bool is_stream;  /* a stream socket */
	bool is_socket;
	bool is_file; /* regular: always ready, epoll refuses it */
	bool has_received;
	bool input_has_ended;    /* hub_end_input */
	struct hub_layer *layer; /* owned; NULL for none */
	fd_generation generation;
	const struct hub_coroutine *drained_for; /* FD_ANYBODY: whoever is first */
	struct hub_waiter *writers;
	struct list sweep; /* in one of the table's queues */
	int64_t due;       /* when the sweep looks at it */
	uint32_t opening;
	uint8_t level;         /* of the queue */
	bool was_blocking;     /* before the hub adopted it */
	bool is_known : 1;     /* device and inode are noted: see identity.c */
	bool is_member : 1;    /* it takes the set of kinds to know it again */
	bool lacks_nowait : 1; /* see nowait.c */
	ev_io write;
	dev_t device;
	ino_t inode;
};

#define FD_ANYBODY ((const struct hub_coroutine *)1)

/* Enters a number that is new to the hub, with its flags as they are. NULL with errno EBADF, ENOMEM. */
struct hub_fd *fd_enter_watched(struct hub *hub, int fd);

/* Enters a number that the hub has not adopted, and makes it non-blocking. NULL with errno EBADF, ENOMEM. */
struct hub_fd *fd_enter(struct hub *hub, int fd);

/* The entry of a number below the table's size. */
static inline struct hub_fd *
fd_entry(const struct hub *hub, int fd)
{
	return &hub->fds.chunks[(unsigned)fd >> FD_CHUNK_BITS]
			.entries[(unsigned)fd & (FD_CHUNK - 1)];
}

/* The entry of a number, which is only waited for; one that is new to the hub enters now, with its flags as they are.
 * NULL with errno EBADF, ENOMEM. */
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

/* The entry of a number that is read or written and must not block; one that is new to the hub enters now. NULL with
 * errno EBADF, ENOMEM. */
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

/* Whether it is, and its number still means it: for whoever goes on by number after a switch, which others may have used
 * to close that behind the hub's back. */
bool fd_is_kept(const struct fd_hold *hold);

/* Lets others run. The caller has entered (hub_enter). Returns false with errno, EBADF or ENOMEM, ECANCELED if the
 * descriptor was closed meanwhile, or what hub_enter says. */
bool fd_let_others_run(struct hub_fd *entry);

/* The same, if it is their turn. */
static inline __attribute__((always_inline)) bool
fd_take_turns(struct hub_fd *entry)
{
	return !hub_tick(hub_this) || fd_let_others_run(entry);
}

/* Counts bytes of the hub; other processes read the counter, nobody else writes it. */
static inline void
fd_count_bytes(uint64_t *counter, ssize_t bytes)
{
	__atomic_store_n(counter, *counter + (uint64_t)bytes, __ATOMIC_RELAXED);
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

/* What this thread's hub, if it runs one, knows of the number; NULL for nothing. */
struct hub_fd *fd_known(int fd);

/* Whether the number still means what its entry says: two system calls at most, none of which waits. */
bool fd_is_same(struct hub *hub, struct hub_fd *entry);

/* Makes sure that the entry is about what its number means now: one that is stale is forgotten, which wakes who waits with
 * EBADF, and enters anew. Every wait begins so, but that of a drained stream. Returns false with errno EBADF, ENOMEM. */
bool fd_renew(struct hub_fd *entry);

/* Whether a number that is in the hub has a layer, which is not that of somebody who had the number before. */
bool fd_has_layer(struct hub_fd *entry);

/* Whether the stream's input was ended, and not that of somebody who had the number before. */
bool fd_input_has_ended(struct hub_fd *entry);

/* The hub forgets the number; who waits for it is woken with that reason. */
void fd_forget(struct hub *hub, struct hub_fd *entry, int reason);

/* Every number that is in the hub; descriptors stay open. */
void fd_forget_all(struct hub *hub, int reason);

/* ---- identity.c ---- */

struct stat;

/* Notes what the number means, as fstat(2) has told. */
void identity_note(struct hub *hub, struct hub_fd *entry, const struct stat *status);
void identity_forget(struct hub *hub, struct hub_fd *entry);
void identity_stop(struct hub *hub);

/* ---- libev.c ---- */

/* Before the first loop polls. */
void libev_start(void);

/* ---- nowait.c: system calls that do not wait, whatever the number means by now ---- */

/* Before a system call that has no form that does not wait: the number is made non-blocking if it is not. Returns 0, or
 * -1 with errno EBADF. */
int fd_keep_from_blocking(int fd);

/* accept4(2) for the hub, not interrupted by signals. */
int fd_accept_now(int fd, struct sockaddr *address, socklen_t *length);

/* readv(2) and writev(2) on what is no socket. */
ssize_t fd_read_now(int fd, const struct iovec *parts, int count);
ssize_t fd_write_now(int fd, const struct iovec *parts, int count);

/* ---- waiting ---- */

/* Waits until fd may be read or written; the caller has entered (hub_enter), and been told EAGAIN. Spurious wakes are
 * possible: try again and wait again.
 * Returns 0, or -1 with errno EBADF (closed behind the hub's back), ECANCELED (killed, or released meanwhile), ETIMEDOUT,
 * EDEADLK, ENOMEM and ENOSPC (the kernel watches no more), EINVAL and ELOOP (it watches no such thing; its input has
 * ended). */
int fd_wait_read(struct hub_fd *entry, const char *what);
int fd_wait_write(struct hub_fd *entry, const char *what);

/* The same for a stream that is drained, without having tried: if it turns out that the number was opened anew, perhaps
 * before this was called, because the sweep has not confirmed the wait, it returns 0, unless there was a layer; and also if
 * the input has ended. */
int fd_wait_drained(struct hub_fd *entry, const char *what);

/* One descriptor among the things that a coroutine waits for, from the first wait of a call to the last: it begins with
 * nothing held. */
struct fd_interest {
	struct fd_hold hold; /* what the number was when it was noted */
	struct hub_waiter reader;
	struct hub_waiter writer;
};

/* Notes what a number is, unless it was noted before. Returns 0, or an errno: EBADF, ENOMEM; EBADF also if it means
 * something else than it did. */
int fd_interest_note(struct fd_interest *interest, struct hub *hub, int fd);

/* Notes the number and enters self for events, which are POLLIN, POLLOUT or both; it then calls hub_suspend, and
 * fd_interest_leave in any case. Returns as fd_interest_note; then it is not entered. */
int fd_interest_enter(
	struct fd_interest *interest, int fd, short events, struct hub_coroutine *self);

/* Returns whether it was the descriptor that was woken, or released. */
bool fd_interest_leave(struct fd_interest *interest);

/* Whether the descriptor was released since it was noted, whoever was woken. */
static inline bool
fd_interest_is_over(const struct fd_interest *interest)
{
	return interest->hold.entry != NULL && !fd_is_held(&interest->hold);
}

/* Whether the number is one that somebody waits to receive from, and whether anything ever came; and whether somebody
 * waits for it to take more. False in each for a number that the hub does not know. */
struct fd_activity {
	bool is_receiving;
	bool is_sending;
	bool has_received;
};
struct fd_activity fd_activity(const struct hub *hub, int fd);

/* Whether something can be received from the entry's layer that the kernel knows nothing of. */
static inline bool
layer_has_input(const struct hub_fd *entry)
{
	return entry->layer != NULL && entry->layer->kind->has_input(entry->layer);
}

/* Whether a number has a layer that something can be received from though the kernel knows nothing of it. */
bool fd_has_input(int fd);

/* The layer of a number; NULL if it has none, or the hub does not know it. */
const struct hub_layer *fd_layer(int fd);

/* Which of events are ready, with hang-ups and errors as all of them; or -1 with errno EBADF. */
int fd_poll_now(int fd, short events);

#endif
