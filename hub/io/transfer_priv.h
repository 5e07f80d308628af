/* The common part of receiving (receive.c) and sending (send.c). Each call is one attempt, a system
 * call that does not block, in one of two loops, which are inlined into the calls: so the attempt
 * costs no indirect call.
 *
 * An fd is looked up once, when a call begins. From then on the entry is used, and each function
 * that may switch compares its generation afterwards: so a call stays with one open file. */
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

/* Whether fd is a regular file, which cannot be waited for; false outside a coroutine of a running
 * hub. */
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

/* Whether a call for sockets on fd has failed because the fd is no socket any more; its entry is
 * then renewed. */
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
	size_t length; /* bytes of the buffer, or of all parts */
	struct sockaddr *address;
	socklen_t *address_length;
	struct msghdr *message;
	const struct iovec *parts;
	int count;
};

typedef ssize_t attempt_fn(const struct transfer *transfer);

/* Begins every transfer: the caller may block, the fd enters, and if the loop is due other
 * coroutines run, one of which may close the fd. With MSG_DONTWAIT no other coroutine runs. Returns
 * NULL with errno. */
static ALWAYS_INLINE struct hub_fd *
transfer_begin(int fd, int flags)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;

	if (__builtin_expect(self == NULL, 0)) {
		if (!(flags & MSG_DONTWAIT))
			hub_fail_in_turn();
		return NULL;
	}
	entry = fd_lookup(self->hub, fd);
	if (__builtin_expect(entry == NULL, 0) || (flags & MSG_DONTWAIT) || fd_take_turns(entry))
		return entry;
	return NULL;
}

/* Whether the kernel refuses this number of parts, or has nothing to do: then it is asked at once,
 * and the parts are not read here. */
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
