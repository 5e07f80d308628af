/* Receiving and reading. Each attempt is made without waiting, by MSG_DONTWAIT or RWF_NOWAIT, and
 * repeated when the fd may be ready: its flags are never touched. Every other answer of the kernel,
 * errors included, goes straight back to the caller. */
#include <hubbub/io/fd.h>
#include <limits.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/loss.h"
#include "hub/io/traffic.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/terminal_priv.h"
#include "hub/patch/time_priv.h"
#include "hub/patch/transfer_priv.h"
#include "hub/patch/whole_priv.h"

/* The end of the stream, or the loss of the connection that a call before has not told. */
static ssize_t
end_of_stream(int fd)
{
	int lost = loss_take(fd);

	return lost != 0 ? failed(lost) : 0;
}

/* What a call on a socket returns to the application; tells the hub of received bytes. If the hub
 * has ended the connection's input (hub_end_input), the call returns 0, the end, even if it does
 * not want to wait. Keeps errno, but for a loss. */
static ssize_t
received(int fd, int flags, ssize_t result)
{
	if (result > 0)
		traffic_received(fd, flags & MSG_PEEK ? 0 : (size_t)result);
	if (result == 0)
		return end_of_stream(fd);
	if (result == -1 && (errno == ESHUTDOWN || (errno == EAGAIN && hub_input_has_ended(fd))))
		return 0;
	return result;
}

/* Reads the rest of a file's part of which only the beginning was cached, in another thread.
 * Returns its length, 0 if that failed: then the beginning is the result. */
static ssize_t
read_rest(int fd, const struct iovec *parts, int count, size_t done)
{
	struct iovec small[SMALL], *copy = copy_parts(parts, (size_t)count, small), *rest = copy;
	size_t left = (size_t)count;
	ssize_t more = 0;

	if (copy != NULL && advance(&rest, &left, done)) {
		struct file_call c = {
			.call = CALL_readv, .fd = fd, .parts = rest, .count = (int)left};

		more = file_offload(&c);
	}
	if (copy != small)
		free(copy);
	return more > 0 ? more : 0;
}

/* Reads from an fd that is no socket: a pipe, a terminal, a file, an eventfd. What is not in a
 * file's cache another thread reads; all else is waited for. */
static ssize_t
read_other(int fd, const struct iovec *parts, int count)
{
	struct file_call c = {.call = CALL_readv, .fd = fd, .parts = parts, .count = count};
	struct patience patience = {.fd = fd, .events = POLLIN};
	ssize_t result;

	for (;;) {
		result = kernel_preadv2(fd, parts, count, -1, RWF_NOWAIT);
		if (result > 0 && (size_t)result < parts_length(parts, (size_t)count) &&
			descriptor_is_file(fd))
			return result + read_rest(fd, parts, count, (size_t)result);
		if (result >= 0 || (errno != EAGAIN && !is_unsupported(errno)))
			return result;
		if (descriptor_is_file(fd))
			return file_offload(&c);
		if (errno != EAGAIN && !descriptor_is_nonblocking(fd) && terminal_is_timed(fd))
			return terminal_read(fd, parts, count);
		/* RWF_NOWAIT is refused: poll(2) tells whether read(2) would wait. */
		if (errno != EAGAIN) {
			struct pollfd query = {.fd = fd, .events = POLLIN};

			if (kernel_poll_now(&query, 1) != 0 || descriptor_is_nonblocking(fd))
				return kernel_readv(fd, parts, count);
		}
		if (!patience_wait(&patience, 0))
			return received(fd, 0, -1);
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
	return received(fd, 0, result);
}

int
patch_eventfd_read(int fd, eventfd_t *value)
{
	return patch_read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
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
	/* Reading 0 bytes does not wait. The array of parts can be read: the kernel has just done
	 * so. */
	if (result == -1 && errno == EAGAIN && parts_length(parts, (size_t)count) == 0)
		return kernel_readv(fd, parts, count);
	if (result == -1 && errno == EAGAIN)
		UNTIL_DONE(result, fd, POLLIN, 0, kernel_recvmsg(fd, &message, MSG_DONTWAIT));
	if (result == -1 && errno == ENOTSOCK)
		return read_other(fd, parts, count);
	return received(fd, 0, result);
}

static ssize_t
receive_whole(
	int fd, void *buffer, size_t length, int flags, struct sockaddr *address, socklen_t *size)
{
	struct iovec part = {buffer, length};
	struct msghdr message = {.msg_name = address,
		.msg_namelen = address != NULL && size != NULL ? *size : 0,
		.msg_iov = &part,
		.msg_iovlen = 1};
	ssize_t result = whole_receive(fd, &message, flags);

	if (result >= 0 && size != NULL)
		*size = message.msg_namelen;
	return received(fd, flags, result);
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

	if (whole_is_asked(fd, flags))
		return receive_whole(fd, buffer, length, flags, address, size);
	UNTIL_DONE(result, fd, POLLIN, flags,
		kernel_recvfrom(fd, buffer, length, flags | MSG_DONTWAIT, address, size));
	return received(fd, flags, result);
}

ssize_t
patch_recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t result;

	if (message != NULL && whole_is_asked(fd, flags))
		return received(fd, flags, whole_receive(fd, message, flags));
	UNTIL_DONE(result, fd, POLLIN, flags, kernel_recvmsg(fd, message, flags | MSG_DONTWAIT));
	return received(fd, flags, result);
}

int
patch_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	int64_t end = timeout != NULL && patch_is_valid(timeout)
			      ? clock_after(hub_now(), patch_nanoseconds(timeout))
			      : HUB_FOREVER;
	uint32_t generation = generation_of(fd);
	unsigned done = 0;

	if (timeout != NULL && !patch_is_valid(timeout))
		return failed(EINVAL);
	/* As recvmmsg(2): the timeout is looked at after each message, and MSG_WAITFORONE lets only
	 * the first one wait. If fd is closed meanwhile, the messages received before are the
	 * result. */
	while (done < count && (done == 0 || generation_of(fd) == generation)) {
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
