/* Sending and writing, as receive.c does it. A blocking call sends all. */
#include <limits.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/patch/transfer_priv.h"

/* A pipe that poll(2) calls writable takes so many bytes without blocking. */
#define PIPE_ROOM 4096

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
	if (result > 0 && (size_t)result < length && descriptor_is_stream(fd)) {
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
			patience.tries = 0;
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
		!descriptor_is_stream(fd) || descriptor_is_nonblocking(fd))
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

/* One attempt on what is no socket, which takes room or less; -1 with EAGAIN where it would
 * wait. */
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
	if (descriptor_is_file(fd) || (isatty(fd) && !descriptor_is_nonblocking(fd)))
		return file_offload(&c);
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
			patience.tries = 0;
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
