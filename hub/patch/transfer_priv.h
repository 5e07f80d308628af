/* What receiving, sending and calls of files share: repeated attempts, arrays of iovec (parts),
 * kinds of file descriptors, calls of files by other threads. */
#ifndef HUBBUB_PATCH_TRANSFER_PRIV_H
#define HUBBUB_PATCH_TRANSFER_PRIV_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "hub/patch/descriptor_priv.h"
#include "hub/patch/patch_priv.h"

/* Up to so many parts are copied to the caller's stack, more to the heap. */
#define SMALL 16

/* Repeats the attempt as long as it fails with EAGAIN and the call may wait. */
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

/* Takes the first done bytes off the parts. Returns whether any parts are left. */
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

/* A copy of the parts: in small if they fit there, else on the heap, the caller's to free. NULL
 * with errno ENOMEM. */
static inline struct iovec *
copy_parts(const struct iovec *parts, size_t count, struct iovec small[SMALL])
{
	struct iovec *copy = count <= SMALL ? small : malloc(count * sizeof *copy);

	if (copy != NULL && count > 0)
		memcpy(copy, parts, count * sizeof *copy);
	return copy;
}

/* Whether RWF_NOWAIT is refused: by this kind of file, by this kernel, or by a filter of system
 * calls. */
static inline bool
is_unsupported(int error)
{
	return error == EOPNOTSUPP || error == ENOSYS || error == EPERM;
}

/* The value of an int option of SOL_SOCKET; 0 if fd is no socket. */
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

/* Whether fd is a Unix socket. */
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

/* A call that another thread makes, because poll(2) cannot wait for a file: readv, writev, preadv2
 * or pwritev2. */
struct file_call {
	enum patch_call call;
	int fd;
	const struct iovec *parts;
	int count;
	off_t offset;
	int flags;
	uint32_t generation; /* of fd; set by file_offload */
	ssize_t answer;      /* what the call returned, and its errno */
	int error;
};

/* Makes the call in another thread, with the caller's own fd: closing a duplicate would drop the
 * process's record locks on the file. If fd is closed before the thread begins, the call fails with
 * EBADF; closing it later is the application's race, as with threads. Returns what the call
 * returned, with its errno; or -1 with errno of hub_offload. */
ssize_t file_offload(struct file_call *call);

#endif
