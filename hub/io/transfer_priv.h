/* What receiving (receive.c) and sending (send.c) have in common. Each call is one attempt, a POSIX
 * call that does not block, in one of two loops, which are inlined into the calls: so the attempt
 * costs no indirect call.
 *
 * A number is looked up once, when a call begins. From then on the entry is used, and what may
 * switch (a wait, a turn of others) compares its generation: so what comes next is done to the same
 * open file. */
#ifndef HUBBUB_IO_TRANSFER_PRIV_H
#define HUBBUB_IO_TRANSFER_PRIV_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "hub/io/fd_priv.h"
#include "hub/io/wait_priv.h"
#include "hub/scheduler_priv.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Whether fd is a regular file, for which nobody can wait; in a coroutine of a running hub. */
static ALWAYS_INLINE bool
fd_is_file(int fd)
{
	struct hub_fd *entry;

	if (hub_current() == NULL || hub_this->loop == NULL)
		return false;
	entry = fd_lookup(hub_this, fd);
	return entry != NULL && entry->is_file && fd_renew(entry) && entry->is_file;
}

/* Whether fd is a socket that the hub knows. */
static ALWAYS_INLINE bool
fd_is_socket(int fd)
{
	struct hub_fd *entry;

	if (hub_current() == NULL || hub_this->loop == NULL)
		return false;
	entry = fd_lookup(hub_this, fd);
	return entry != NULL && entry->is_socket;
}

/* Whether fd, by a call for sockets, turned out to be none any more, and its entry has been
 * told. */
static ALWAYS_INLINE bool
fd_was_socket(int fd, ssize_t result)
{
	return result == -1 && errno == ENOTSOCK && fd_renew(fd_entry(hub_this, fd));
}

/* The arguments of any transfer; each attempt uses its own. */
struct transfer {
	int fd;
	int flags;
	void *buffer;
	size_t length; /* of the buffer, or of all parts */
	struct sockaddr *address;
	socklen_t *address_length;
	struct msghdr *message;
	const struct iovec *parts;
	int count;
};

typedef ssize_t attempt_fn(const struct transfer *transfer);

/* What every transfer begins with: the caller may block, the descriptor is known, and a coroutine
 * whose slice is used up lets the others run; meanwhile one of them may have closed the descriptor.
 * MSG_DONTWAIT means that nobody else runs. */
static ALWAYS_INLINE struct hub_fd *
transfer_begin(int fd, int flags)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;

	if (__builtin_expect(self == NULL, 0))
		return NULL;
	entry = fd_lookup(self->hub, fd);
	if (__builtin_expect(entry == NULL, 0) || (flags & MSG_DONTWAIT) || fd_take_turns(entry))
		return entry;
	return NULL;
}

/* Whether the kernel refuses, or has nothing to do for, so many parts: its answer is asked for
 * at once, and nobody looks at them here. */
static ALWAYS_INLINE bool
parts_are_odd(const struct iovec *parts, size_t count)
{
	return __builtin_expect(count - 1 >= IOV_MAX || parts == NULL, 0);
}

static ALWAYS_INLINE bool
message_is_odd(const struct msghdr *message)
{
	return __builtin_expect(message == NULL || message->msg_iovlen > IOV_MAX ||
					(message->msg_iov == NULL && message->msg_iovlen != 0),
		0);
}

static inline size_t
parts_length(const struct iovec *parts, size_t count)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += parts[i].iov_len;
	return length;
}

/* The parts of a transfer, for a layer. */
static inline const struct iovec *
transfer_parts(const struct transfer *transfer, struct iovec *whole, size_t *count)
{
	if (transfer->message != NULL) {
		*count = transfer->message->msg_iovlen;
		return transfer->message->msg_iov;
	}
	if (transfer->parts != NULL) {
		*count = transfer->count > 0 ? (size_t)transfer->count : 0;
		return transfer->parts;
	}
	*whole = (struct iovec){transfer->buffer, transfer->length};
	*count = 1;
	return whole;
}

#endif
