/* Reading and writing. Each call is made without waiting, by MSG_DONTWAIT or RWF_NOWAIT, and again when the descriptor may
 * be ready: its flags are never touched. What the kernel's answer is final for, errors included, goes straight back. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/io/fd.h>
#include <hubbub/io/socket.h>
#include <hubbub/thread/offload.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/patch/patch_priv.h"

/* Up to so many parts are copied on the caller's stack. */
#define SMALL 16

/* A pipe that poll(2) calls writable takes so many bytes without blocking. */
#define PIPE_ROOM 4096

/* Makes the attempt until it is not told to wait. */
#define UNTIL_DONE(result, descriptor, direction, flags, attempt)                                  \
	do {                                                                                       \
		struct patience patience = {.fd = (descriptor), .events = (direction)};            \
                                                                                                   \
		while (((result) = (attempt)) == -1 && errno == EAGAIN &&                          \
			patience_wait(&patience, (flags)))                                         \
			continue;                                                                  \
	} while (0)

/* The hub has ended the input of a connection (hub_end_input): that is its end. */
static ssize_t
received(ssize_t result)
{
	return result == -1 && errno == ESHUTDOWN ? 0 : result;
}

/* ---- parts ---- */

static size_t
parts_length(const struct iovec *parts, size_t count)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += parts[i].iov_len;
	return length;
}

/* Takes what has gone out off the parts. Returns whether any are left. */
static bool
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
static struct iovec *
copy_parts(const struct iovec *parts, size_t count, struct iovec small[SMALL])
{
	struct iovec *copy = count <= SMALL ? small : malloc(count * sizeof *copy);

	if (copy != NULL && count > 0)
		memcpy(copy, parts, count * sizeof *copy);
	return copy;
}

/* ---- what no poll can wait for: files, by another thread ---- */

struct file_call {
	enum patch_call call;
	int fd;
	const struct iovec *parts;
	int count;
	off_t offset;
	int flags;
	ssize_t answer;
	int error;
};

static void *
run_file_call(void *argument)
{
	struct file_call *c = argument;

	switch (c->call) {
	case CALL_readv:
		c->answer = REAL(readv)(c->fd, c->parts, c->count);
		break;
	case CALL_writev:
		c->answer = REAL(writev)(c->fd, c->parts, c->count);
		break;
	case CALL_preadv2:
		c->answer = REAL(preadv2)(c->fd, c->parts, c->count, c->offset, c->flags);
		break;
	default:
		c->answer = REAL(pwritev2)(c->fd, c->parts, c->count, c->offset, c->flags);
		break;
	}
	c->error = errno;
	return NULL;
}

/* By the caller's own number: closing a duplicate would take the process's record locks of the file away. Who closes it
 * meanwhile does what it would do to a thread. */
static ssize_t
offload(struct file_call *c)
{
	if (hub_offload(run_file_call, c, NULL) != 0)
		return -1;
	errno = c->error;
	return c->answer;
}

static bool
is_file(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

/* ---- receiving ---- */

/* Of a file of which only the beginning was in the cache. */
static ssize_t
read_rest(int fd, const struct iovec *parts, int count, size_t done)
{
	struct iovec small[SMALL], *copy = copy_parts(parts, (size_t)count, small), *rest = copy;
	size_t left = (size_t)count;
	ssize_t more = 0;

	if (copy != NULL && advance(&rest, &left, done)) {
		struct file_call c = {
			.call = CALL_readv, .fd = fd, .parts = rest, .count = (int)left};

		more = offload(&c);
	}
	if (copy != small)
		free(copy);
	return more > 0 ? more : 0;
}

/* Not a socket: a pipe, a terminal, a file, an eventfd. */
static ssize_t
read_other(int fd, const struct iovec *parts, int count)
{
	struct file_call c = {.call = CALL_readv, .fd = fd, .parts = parts, .count = count};
	struct patience patience = {.fd = fd, .events = POLLIN};
	ssize_t result;

	for (;;) {
		result = kernel_preadv2(fd, parts, count, -1, RWF_NOWAIT);
		if (result > 0 && (size_t)result < parts_length(parts, (size_t)count) &&
			is_file(fd))
			return result + read_rest(fd, parts, count, (size_t)result);
		if (result >= 0 || (errno != EAGAIN && errno != EOPNOTSUPP))
			return result;
		if (is_file(fd))
			return offload(&c);
		/* Where the kernel has no way to ask without waiting, poll(2) tells that it need not wait. */
		if (errno != EAGAIN) {
			struct pollfd query = {.fd = fd, .events = POLLIN};

			if (kernel_poll_now(&query, 1) != 0 || descriptor_is_nonblocking(fd))
				return kernel_readv(fd, parts, count);
		}
		if (!patience_wait(&patience, 0))
			return received(-1);
	}
}

ssize_t
patch_read(int fd, void *buffer, size_t length)
{
	struct iovec part = {buffer, length};
	ssize_t result;

	if (length == 0)
		return kernel_read(fd, buffer, length);
	UNTIL_DONE(result, fd, POLLIN, 0,
		kernel_recvfrom(fd, buffer, length, MSG_DONTWAIT, NULL, NULL));
	if (result == -1 && errno == ENOTSOCK)
		return read_other(fd, &part, 1);
	return received(result);
}

ssize_t
patch_readv(int fd, const struct iovec *parts, int count)
{
	struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};
	ssize_t result;

	if (count <= 0 || count > IOV_MAX)
		return kernel_readv(fd, parts, count);
	result = kernel_recvmsg(fd, &message, MSG_DONTWAIT);
	/* Nothing is not waited for. The kernel has looked at the parts: they can be read. */
	if (result == -1 && errno == EAGAIN && parts_length(parts, (size_t)count) == 0)
		return kernel_readv(fd, parts, count);
	if (result == -1 && errno == EAGAIN)
		UNTIL_DONE(result, fd, POLLIN, 0, kernel_recvmsg(fd, &message, MSG_DONTWAIT));
	if (result == -1 && errno == ENOTSOCK)
		return read_other(fd, parts, count);
	return received(result);
}

static bool
is_stream(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* MSG_WAITALL is for us to do: with MSG_DONTWAIT the kernel returns what there is. */
static ssize_t
receive_all(
	int fd, char *buffer, size_t length, int flags, struct sockaddr *address, socklen_t *size)
{
	struct patience patience = {.fd = fd, .events = POLLIN};
	size_t got = 0;

	while (got < length) {
		ssize_t result = kernel_recvfrom(
			fd, buffer + got, length - got, flags | MSG_DONTWAIT, address, size);

		if (result > 0)
			got += (size_t)result;
		else if (result == 0 || errno != EAGAIN || !patience_wait(&patience, flags))
			return got > 0 ? (ssize_t)got : received(result);
	}
	return (ssize_t)got;
}

ssize_t
patch_recv(int fd, void *buffer, size_t length, int flags)
{
	return patch_recvfrom(fd, buffer, length, flags, NULL, NULL);
}

ssize_t
patch_recvfrom(
	int fd, void *buffer, size_t length, int flags, struct sockaddr *address, socklen_t *size)
{
	ssize_t result;

	if ((flags & (MSG_WAITALL | MSG_PEEK | MSG_DONTWAIT)) == MSG_WAITALL && is_stream(fd))
		return receive_all(fd, buffer, length, flags, address, size);
	UNTIL_DONE(result, fd, POLLIN, flags,
		kernel_recvfrom(fd, buffer, length, flags | MSG_DONTWAIT, address, size));
	return received(result);
}

/* The rest of a message that is awaited whole; what goes with it came with the first part. */
static ssize_t
receive_rest(int fd, const struct msghdr *message, size_t got, int flags)
{
	struct patience patience = {.fd = fd, .events = POLLIN};
	struct iovec small[SMALL], *copy = copy_parts(message->msg_iov, message->msg_iovlen, small);
	struct msghdr rest = {.msg_iov = copy, .msg_iovlen = message->msg_iovlen};
	bool is_left = copy != NULL && advance(&rest.msg_iov, &rest.msg_iovlen, got);

	while (is_left) {
		ssize_t more = kernel_recvmsg(fd, &rest, flags | MSG_DONTWAIT);

		if (more > 0) {
			got += (size_t)more;
			is_left = advance(&rest.msg_iov, &rest.msg_iovlen, (size_t)more);
		} else if (more == 0 || errno != EAGAIN || !patience_wait(&patience, flags)) {
			break;
		}
	}
	if (copy != small)
		free(copy);
	return (ssize_t)got;
}

ssize_t
patch_recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t result;

	UNTIL_DONE(result, fd, POLLIN, flags, kernel_recvmsg(fd, message, flags | MSG_DONTWAIT));
	if (result > 0 && (flags & (MSG_WAITALL | MSG_PEEK | MSG_DONTWAIT)) == MSG_WAITALL &&
		(size_t)result < parts_length(message->msg_iov, message->msg_iovlen) &&
		is_stream(fd))
		return receive_rest(fd, message, (size_t)result, flags);
	return received(result);
}

int
patch_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	int64_t end = timeout != NULL && patch_is_valid(timeout)
			      ? hub_now() + patch_nanoseconds(timeout)
			      : HUB_FOREVER;
	unsigned done = 0;

	if (timeout != NULL && !patch_is_valid(timeout)) {
		errno = EINVAL;
		return -1;
	}
	/* As recvmmsg(2): the time is looked at after each message, and the last flag is about the first one. */
	while (done < count) {
		int now = flags & ~MSG_WAITFORONE;
		ssize_t result;

		if (done > 0 && (flags & MSG_WAITFORONE))
			now |= MSG_DONTWAIT;
		result = patch_recvmsg(fd, &messages[done].msg_hdr, now);
		if (result < 0)
			break;
		messages[done++].msg_len = (unsigned)result;
		if (end != HUB_FOREVER && hub_now() >= end)
			break;
	}
	return done > 0 || count == 0 ? (int)done : -1;
}

/* ---- sending ---- */

/* A blocking call sends all; what has gone out counts, whatever ends the call. */
static ssize_t
send_all(int fd, const char *buffer, size_t length, int flags)
{
	struct patience patience = {.fd = fd, .events = POLLOUT};
	size_t done = 0;

	for (;;) {
		ssize_t sent = kernel_sendto(
			fd, buffer + done, length - done, flags | MSG_DONTWAIT, NULL, 0);

		if (sent > 0)
			patience.tries = 0;
		if (sent >= 0)
			done += (size_t)sent;
		if (sent >= 0 && (done >= length || (flags & MSG_DONTWAIT)))
			return (ssize_t)done;
		if (sent < 0 && errno != EAGAIN)
			return done > 0 ? (ssize_t)done : -1;
		/* After a part, the next attempt tells whether there is room. */
		if (sent < 0 && !patience_wait(&patience, flags))
			return done > 0 ? (ssize_t)done : -1;
	}
}

ssize_t
patch_send(int fd, const void *buffer, size_t length, int flags)
{
	return send_all(fd, buffer, length, flags);
}

ssize_t
patch_sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *address,
	socklen_t size)
{
	ssize_t result;

	if (address == NULL)
		return send_all(fd, buffer, length, flags);
	UNTIL_DONE(result, fd, POLLOUT, flags,
		kernel_sendto(fd, buffer, length, flags | MSG_DONTWAIT, address, size));
	/* A stream that took a part; it takes no address either. */
	if (result > 0 && (size_t)result < length && is_stream(fd)) {
		ssize_t more =
			send_all(fd, (const char *)buffer + result, length - (size_t)result, flags);

		result += more > 0 ? more : 0;
	}
	return result;
}

/* The rest of a message of which done bytes are out: its first part carried what goes with it. */
static ssize_t
send_rest(int fd, const struct msghdr *message, size_t done, int flags)
{
	struct patience patience = {.fd = fd, .events = POLLOUT};
	struct iovec small[SMALL], *copy = copy_parts(message->msg_iov, message->msg_iovlen, small);
	struct msghdr rest = {.msg_iov = copy, .msg_iovlen = message->msg_iovlen};
	bool is_left;

	if (copy == NULL)
		return (ssize_t)done;
	is_left = advance(&rest.msg_iov, &rest.msg_iovlen, done);
	while (is_left) {
		ssize_t sent = kernel_sendmsg(fd, &rest, flags | MSG_DONTWAIT);

		if (sent >= 0) {
			done += (size_t)sent;
			is_left = advance(&rest.msg_iov, &rest.msg_iovlen, (size_t)sent);
		} else if (errno != EAGAIN || !patience_wait(&patience, flags)) {
			break;
		}
	}
	if (copy != small)
		free(copy);
	return (ssize_t)done;
}

ssize_t
patch_sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent;

	UNTIL_DONE(sent, fd, POLLOUT, flags, kernel_sendmsg(fd, message, flags | MSG_DONTWAIT));
	if (sent < 0 || (flags & MSG_DONTWAIT) ||
		(size_t)sent >= parts_length(message->msg_iov, message->msg_iovlen) ||
		!is_stream(fd) || descriptor_is_nonblocking(fd))
		return sent;
	return send_rest(fd, message, (size_t)sent, flags);
}

int
patch_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	unsigned done = 0;

	while (done < count) {
		ssize_t result = patch_sendmsg(fd, &messages[done].msg_hdr, flags);

		if (result < 0)
			break;
		messages[done++].msg_len = (unsigned)result;
	}
	return done > 0 || count == 0 ? (int)done : -1;
}

/* One attempt on what is no socket, which takes room or less; -1 with EAGAIN where it would wait. */
static ssize_t
write_some(int fd, const struct iovec *parts, size_t count)
{
	struct pollfd query = {.fd = fd, .events = POLLOUT};
	struct iovec part;
	ssize_t wrote = kernel_pwritev2(fd, parts, (int)count, -1, RWF_NOWAIT);

	if (wrote >= 0 || errno != EOPNOTSUPP)
		return wrote;
	/* As with reading: poll(2) tells that a little may be written without waiting. */
	if (kernel_poll_now(&query, 1) == 0) {
		errno = EAGAIN;
		return -1;
	}
	part = parts[0];
	if (part.iov_len > PIPE_ROOM)
		part.iov_len = PIPE_ROOM;
	return kernel_writev(fd, &part, 1);
}

static ssize_t
write_other(int fd, const struct iovec *parts, int count)
{
	struct file_call c = {.call = CALL_writev, .fd = fd, .parts = parts, .count = count};
	struct patience patience = {.fd = fd, .events = POLLOUT};
	struct iovec small[SMALL], *copy, *rest;
	size_t left = (size_t)count, done;
	ssize_t wrote;
	bool is_left;

	/* A terminal that is said to be writable may take no more than a byte. */
	if (is_file(fd) || (isatty(fd) && !descriptor_is_nonblocking(fd)))
		return offload(&c);
	if (descriptor_is_nonblocking(fd))
		return kernel_writev(fd, parts, count);
	/* The kernel looks at the parts first: those that cannot be read are its to tell of. */
	wrote = kernel_pwritev2(fd, parts, count, -1, RWF_NOWAIT);
	if (wrote == -1 && errno != EAGAIN && errno != EOPNOTSUPP)
		return -1;
	done = wrote > 0 ? (size_t)wrote : 0;
	copy = rest = copy_parts(parts, (size_t)count, small);
	if (copy == NULL)
		return -1;
	is_left = advance(&rest, &left, done);
	while (is_left) {
		wrote = write_some(fd, rest, left);

		if (wrote >= 0) {
			done += (size_t)wrote;
			is_left = advance(&rest, &left, (size_t)wrote);
		} else if (errno != EAGAIN || !patience_wait(&patience, 0)) {
			done = done > 0 ? done : SIZE_MAX;
			break;
		}
	}
	if (copy != small)
		free(copy);
	return (ssize_t)done;
}

ssize_t
patch_write(int fd, const void *buffer, size_t length)
{
	struct iovec part = {(void *)(uintptr_t)buffer, length};
	ssize_t sent = send_all(fd, buffer, length, 0);

	return sent == -1 && errno == ENOTSOCK ? write_other(fd, &part, 1) : sent;
}

ssize_t
patch_writev(int fd, const struct iovec *parts, int count)
{
	struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};
	ssize_t sent;

	if (count <= 0 || count > IOV_MAX)
		return kernel_writev(fd, parts, count);
	sent = patch_sendmsg(fd, &message, 0);
	return sent == -1 && errno == ENOTSOCK ? write_other(fd, parts, count) : sent;
}

/* ---- at an offset: files ---- */

ssize_t
patch_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	struct file_call c = {.call = CALL_preadv2,
		.fd = fd,
		.parts = parts,
		.count = count,
		.offset = offset,
		.flags = flags};
	ssize_t result;

	if (offset == -1)
		return patch_readv(fd, parts, count);
	result = kernel_preadv2(fd, parts, count, offset, flags | RWF_NOWAIT);
	/* A part may be all that is cached; zero is the end. */
	if ((result >= 0 &&
		    (result == 0 || (size_t)result == parts_length(parts, (size_t)count))) ||
		(flags & RWF_NOWAIT))
		return result;
	return offload(&c);
}

ssize_t
patch_pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	struct file_call c = {.call = CALL_pwritev2,
		.fd = fd,
		.parts = parts,
		.count = count,
		.offset = offset,
		.flags = flags};

	return offset == -1 ? patch_writev(fd, parts, count) : offload(&c);
}

/* -1 is no offset to the older calls, but the file's own to the newer ones. */
static bool
is_offset(off_t offset)
{
	if (offset >= 0)
		return true;
	errno = EINVAL;
	return false;
}

ssize_t
patch_preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
	return is_offset(offset) ? patch_preadv2(fd, parts, count, offset, 0) : -1;
}

ssize_t
patch_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	return is_offset(offset) ? patch_pwritev2(fd, parts, count, offset, 0) : -1;
}

ssize_t
patch_pread(int fd, void *buffer, size_t length, off_t offset)
{
	struct iovec part = {buffer, length};

	return patch_preadv(fd, &part, 1, offset);
}

ssize_t
patch_pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
	struct iovec part = {(void *)(uintptr_t)buffer, length};

	return patch_pwritev(fd, &part, 1, offset);
}

/* ---- sendfile ---- */

#define CHUNK ((size_t)64 * 1024)

/* A chunk of the file, which other calls of the application may move on. Returns its length. */
static ssize_t
read_chunk(int in, void *chunk, size_t length, off_t *offset)
{
	return offset != NULL ? patch_pread(in, chunk, length, *offset)
			      : patch_read(in, chunk, length);
}

/* There is no sendfile(2) that does not wait, but for descriptors that never do: so it is read and sent. */
ssize_t
patch_sendfile(int out, int in, off_t *offset, size_t count)
{
	size_t done = 0;
	ssize_t sent = 0;
	char *chunk;

	if (descriptor_is_nonblocking(out) || !is_file(in))
		return REAL(sendfile)(out, in, offset, count);
	chunk = malloc(CHUNK);
	if (chunk == NULL)
		return -1;
	while (done < count) {
		size_t most = count - done < CHUNK ? count - done : CHUNK;
		ssize_t got = read_chunk(in, chunk, most, offset);

		sent = got > 0 ? patch_write(out, chunk, (size_t)got) : got;
		if (sent > 0)
			done += (size_t)sent;
		if (sent > 0 && offset != NULL)
			*offset += sent;
		/* What was read and not sent is to be read again. */
		if (got > 0 && sent < got && offset == NULL)
			lseek(in, (sent > 0 ? sent : 0) - got, SEEK_CUR);
		if (sent <= 0 || sent < got)
			break;
	}
	free(chunk);
	return done > 0 || sent >= 0 ? (ssize_t)done : -1;
}
