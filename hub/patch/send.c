/* Sending and writing: attempts that do not wait, as in receive.c. A blocking call repeats them
 * until all bytes are out; if it ends early, it returns how many are out. */
#include <fcntl.h>
#include <hubbub/io/fd.h>
#include <limits.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/loss.h"
#include "hub/io/traffic.h"
#include "hub/patch/brief_priv.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/given_priv.h"
#include "hub/patch/transfer_priv.h"

/* So many bytes a pipe takes without blocking where poll(2) calls it writable. */
#define PIPE_ROOM 4096

/* After a failed attempt: waits, and returns whether to make another one. EINPROGRESS means that
 * the send also connects (MSG_FASTOPEN, TCP_FASTOPEN_CONNECT), to a peer that has given no cookie
 * yet: the bytes are sent once the connection stands. */
static bool
wait_to_send(struct patience *patience, int flags)
{
	int error = errno;

	if (error != EAGAIN && error != EINPROGRESS) {
		loss_note(patience->fd);
		return false;
	}
	if (patience_wait(patience, flags))
		return true;
	if (errno == EAGAIN)
		errno = error;
	return false;
}

/* After the first attempt failed: whether it began a connection, which now stands, so that all
 * bytes are still to be sent. */
static bool
wait_connected(int fd, int flags)
{
	struct patience patience = {.fd = fd, .events = POLLOUT};

	return errno == EINPROGRESS && wait_to_send(&patience, flags);
}

/* What a call returns that an error has ended when done bytes were out. */
static ssize_t
ended_after(int fd, size_t done)
{
	if (done == 0)
		return -1;
	loss_leave(fd);
	return (ssize_t)done;
}

/* Sends all bytes, unless the call must not block. Bytes that are out count, even if an error then
 * ends the call. */
static ssize_t
send_all(int fd, const char *buffer, size_t length, int flags)
{
	struct patience patience = {.fd = fd, .events = POLLOUT};
	size_t done = 0;

	for (;;) {
		ssize_t sent = kernel_sendto(
			fd, buffer + done, length - done, flags | MSG_DONTWAIT, NULL, 0);

		if (sent > 0) {
			patience.tries = 0;
			traffic_sent(fd, (size_t)sent);
		}
		if (sent >= 0)
			done += (size_t)sent;
		if (sent >= 0 && (done >= length || (flags & MSG_DONTWAIT)))
			return (ssize_t)done;
		/* After a partial send the next attempt shows whether there is room for more. */
		if (sent < 0 && !wait_to_send(&patience, flags))
			return ended_after(fd, done);
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
	if (result > 0)
		traffic_sent(fd, (size_t)result);
	if (result == -1 && wait_connected(fd, flags))
		return send_all(fd, buffer, length, flags & ~MSG_FASTOPEN);
	/* A stream took a part of it. The rest goes without the address, which a stream does not
	 * need. */
	if (result > 0 && (size_t)result < length && descriptor_is_stream(fd)) {
		ssize_t more = send_all(fd, (const char *)buffer + result, length - (size_t)result,
			flags & ~MSG_FASTOPEN);

		result = more > 0 ? result + more : ended_after(fd, (size_t)result);
	}
	return result;
}

/* Sends the rest of a message of which done bytes are out. Control data and the address went with
 * the first part. */
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
			traffic_sent(fd, (size_t)sent);
			patience.tries = 0;
			done += (size_t)sent;
			is_left = advance(&rest.msg_iov, &rest.msg_iovlen, (size_t)sent);
		} else if (!wait_to_send(&patience, flags)) {
			break;
		}
	}
	if (copy != small)
		free(copy);
	return is_left ? ended_after(fd, done) : (ssize_t)done;
}

/* Whether the message, which the kernel has accepted, carried file descriptors (SCM_RIGHTS). */
static bool
has_descriptors(const struct msghdr *message)
{
	struct msghdr *whole = (struct msghdr *)(uintptr_t)message;
	const struct cmsghdr *each = CMSG_FIRSTHDR(message);

	while (each != NULL && (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS))
		each = CMSG_NXTHDR(whole, (struct cmsghdr *)(uintptr_t)each);
	return each != NULL;
}

ssize_t
patch_sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent;

	UNTIL_DONE(sent, fd, POLLOUT, flags, kernel_sendmsg(fd, message, flags | MSG_DONTWAIT));
	if (sent > 0)
		traffic_sent(fd, (size_t)sent);
	if (sent == -1 && wait_connected(fd, flags))
		return send_rest(fd, message, 0, flags & ~MSG_FASTOPEN);
	if (sent >= 0 && message->msg_controllen > 0 && has_descriptors(message))
		given_note();
	/* Only a stream takes a part of a message. */
	if (sent < 0 || (flags & MSG_DONTWAIT) ||
		(size_t)sent >= parts_length(message->msg_iov, message->msg_iovlen) ||
		!descriptor_is_stream(fd) || descriptor_is_nonblocking(fd))
		return sent;
	return send_rest(fd, message, (size_t)sent, flags & ~MSG_FASTOPEN);
}

int
patch_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	unsigned done = 0;

	/* As sendmmsg(2): so many messages at most, and none after one that went out in part. */
	if (count > IOV_MAX)
		count = IOV_MAX;
	while (done < count) {
		const struct msghdr *message = &messages[done].msg_hdr;
		ssize_t result = patch_sendmsg(fd, message, flags);

		if (result < 0)
			break;
		messages[done++].msg_len = (unsigned)result;
		if ((size_t)result < parts_length(message->msg_iov, message->msg_iovlen))
			break;
	}
	return done > 0 || count == 0 ? (int)done : -1;
}

/* Held while a terminal is non-blocking, so that no other thread takes that for its own flag. */
static pthread_mutex_t terminal_mutex = PTHREAD_MUTEX_INITIALIZER;

/* In a forked child, which does not have the thread that may hold the mutex. */
static void
reset(void)
{
	pthread_mutex_init(&terminal_mutex, NULL);
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, reset);
}

/* A terminal that poll(2) calls writable may take only a byte, and one that its user has stopped
 * takes none for as long as the user likes: too long for a thread. So the terminal is non-blocking
 * for the moment of the call. */
static ssize_t
write_terminal(int fd, const struct iovec *parts, size_t count)
{
	ssize_t wrote = -1;
	int flags, error;

	REAL(pthread_mutex_lock)(&terminal_mutex);
	flags = kernel_fcntl(fd, F_GETFL, 0);
	if (flags != -1 && kernel_fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) {
		wrote = kernel_writev(fd, parts, (int)count);
		error = errno;
		kernel_fcntl(fd, F_SETFL, flags);
		errno = error;
	}
	REAL(pthread_mutex_unlock)(&terminal_mutex);
	return wrote;
}

/* poll(2) tells of an eventfd that its counter can take a 1, not whether it can take more: a write
 * that waits is interrupted. */
static ssize_t
write_eventfd(int fd, const struct iovec *value)
{
	struct brief brief;
	ssize_t wrote;

	brief_begin(&brief);
	wrote = kernel_writev(fd, value, 1);
	brief_end(&brief);
	if (wrote == -1 && errno == EINTR)
		errno = EAGAIN;
	return wrote;
}

/* One attempt to write to an fd that is no socket; it may write a part. -1 with errno EAGAIN where
 * it would wait. */
static ssize_t
write_some(int fd, const struct iovec *parts, size_t count)
{
	struct pollfd query = {.fd = fd, .events = POLLOUT};
	struct iovec part;
	ssize_t wrote = kernel_pwritev2(fd, parts, (int)count, -1, RWF_NOWAIT);

	if (wrote >= 0 || !is_unsupported(errno))
		return wrote;
	if (isatty(fd))
		return write_terminal(fd, parts, count);
	/* RWF_NOWAIT is refused: poll(2) tells whether a little can be written without waiting. */
	if (kernel_poll_now(&query, 1) == 0)
		return failed(EAGAIN);
	part = parts[0];
	if (part.iov_len > PIPE_ROOM)
		part.iov_len = PIPE_ROOM;
	return part.iov_len == sizeof(eventfd_t) ? write_eventfd(fd, &part)
						 : kernel_writev(fd, &part, 1);
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

	if (descriptor_is_file(fd))
		return file_offload(&c);
	if (descriptor_is_nonblocking(fd))
		return kernel_writev(fd, parts, count);
	/* Try the kernel first: it reports parts that cannot be read (EFAULT). */
	wrote = kernel_pwritev2(fd, parts, count, -1, RWF_NOWAIT);
	if (wrote == -1 && errno != EAGAIN && !is_unsupported(errno))
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

int
patch_eventfd_write(int fd, eventfd_t value)
{
	return patch_write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}

/* Formats all of it, then writes. -1 if fd is closed meanwhile, though a part may be out. */
int
patch_vdprintf(int fd, const char *format, va_list arguments)
{
	char *text;
	int length = vasprintf(&text, format, arguments), done = 0;
	uint32_t generation = generation_of(fd);

	if (length < 0)
		return -1;
	while (done < length) {
		ssize_t wrote = -1;

		errno = EBADF;
		if (generation_of(fd) == generation)
			wrote = patch_write(fd, text + done, (size_t)(length - done));
		if (wrote <= 0)
			break;
		done += (int)wrote;
	}
	free(text);
	return done == length ? length : -1;
}

PATCH_EXPORT __attribute__((format(printf, 2, 3))) int
dprintf(int fd, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vdprintf(fd, format, arguments);
	va_end(arguments);
	return length;
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
