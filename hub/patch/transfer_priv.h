/* What receiving, sending and files have in common. */
#ifndef HUBBUB_PATCH_TRANSFER_PRIV_H
#define HUBBUB_PATCH_TRANSFER_PRIV_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "hub/patch/descriptor_priv.h"
#include "hub/patch/patch_priv.h"

/* Up to so many parts are copied on the caller's stack. */
#define SMALL 16

/* Makes the attempt until it is not told to wait. */
#define UNTIL_DONE(result, descriptor, direction, flags, attempt)                                  \
	do {                                                                                       \
		struct patience patience = {.fd = (descriptor), .events = (direction)};            \
                                                                                                   \
		while (((result) = (attempt)) == -1 && errno == EAGAIN &&                          \
			patience_wait(&patience, (flags)))                                         \
			continue;                                                                  \
	} while (0)

/* ---- parts ---- */

static inline size_t
parts_length(const struct iovec *parts, size_t count)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += parts[i].iov_len;
	return length;
}

/* Takes what has gone out off the parts. Returns whether any are left. */
static inline bool
advance(struct iovec **parts, size_t *count, size_t done)
{
	while (*count > 0 && done >= (*parts)->iov_len) {
		done -= (*parts)->iov_len;
		(*parts)++;
		(*count)--;
	}
	if (*count == 0)
		return false;
	(*parts)->iov_base = (char *)(*parts)->iov_base + done;
	(*parts)->iov_len -= done;
	return true;
}

/* A copy of the parts, in small if they fit there; NULL with errno ENOMEM. */
static inline struct iovec *
copy_parts(const struct iovec *parts, size_t count, struct iovec small[SMALL])
{
	struct iovec *copy = count <= SMALL ? small : malloc(count * sizeof *copy);

	if (copy != NULL && count > 0)
		memcpy(copy, parts, count * sizeof *copy);
	return copy;
}

/* By this kind of file, by this kernel, or by a filter of system calls: a call with RWF_NOWAIT. */
static inline bool
is_unsupported(int error)
{
	return error == EOPNOTSUPP || error == ENOSYS || error == EPERM;
}

/* Of a socket; 0 of what is none. */
static inline int
descriptor_option(int fd, int name)
{
	int value = 0;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : 0;
}

static inline bool
descriptor_is_stream(int fd)
{
	return descriptor_option(fd, SO_TYPE) == SOCK_STREAM;
}

/* A Unix socket. */
static inline bool
descriptor_is_local(int fd)
{
	return descriptor_option(fd, SO_DOMAIN) == AF_UNIX;
}

static inline bool
descriptor_is_file(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

/* A call for another thread, by readv, writev, preadv2 or pwritev2: a file cannot be waited for. */
struct file_call {
	enum patch_call call;
	int fd;
	const struct iovec *parts;
	int count;
	off_t offset;
	int flags;
	uint32_t generation; /* file_offload's */
	ssize_t answer;
	int error;
};

/* By the caller's own number: closing a duplicate would take the process's record locks of the file
 * away. If that was closed before its turn came, the answer is EBADF; later it is as with a thread.
 * Returns the answer, with its errno; or -1 with errno of hub_offload. */
ssize_t file_offload(struct file_call *call);

#endif
