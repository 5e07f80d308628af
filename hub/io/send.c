/* Sending and writing. A blocking send goes on until all bytes are sent: each public call fills in
 * a struct transfer and runs one loop, send_to or send_parts, with its own attempt. After a part
 * was sent, an error is left to the next call. */
#include "hub/io/socket.h"

#include <errno.h>
#include <stdint.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/io/file_priv.h"
#include "hub/io/layer_priv.h"
#include "hub/io/traffic_priv.h"
#include "hub/io/transfer_priv.h"

static __attribute__((noinline)) ssize_t
send_by_layer(struct hub_fd *entry, const struct transfer *transfer, const char *what)
{
	struct iovec whole;
	size_t count;
	const struct iovec *parts = transfer_parts(transfer, &whole, &count);

	return layer_send(entry, parts, count, transfer->flags, what);
}

/* Repeats the attempt until it sends bytes, or fails for good. */
static ALWAYS_INLINE ssize_t
send_some(struct hub_fd *entry, const struct transfer *transfer, attempt_fn *attempt,
	const char *what)
{
	for (;;) {
		ssize_t sent;

		DCHECK(transfer->fd == entry->read.fd);
		sent = attempt(transfer);
		if (__builtin_expect(sent >= 0, 1)) {
			fd_note_sent(hub_this, entry);
			fd_count_sent(hub_this, entry, (size_t)sent);
			fd_carry_out(entry, (size_t)sent);
			return sent;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || (transfer->flags & MSG_DONTWAIT)) {
			fd_note_failure(entry);
			return -1;
		}
		if (fd_wait_write(entry, what) != 0)
			return -1;
	}
}

/* Whether the rest must still be sent: a stream that took a part takes the rest later; a datagram,
 * or a call with MSG_DONTWAIT, is done. */
static ALWAYS_INLINE bool
is_partial(const struct hub_fd *entry, const struct transfer *transfer, ssize_t sent)
{
	return sent > 0 && (size_t)sent < transfer->length && !(transfer->flags & MSG_DONTWAIT) &&
	       !entry->is_file;
}

/* The loop of the calls that send one buffer. A layer has its own loop. */
static ALWAYS_INLINE ssize_t
send_to(struct hub_fd *entry, struct transfer *transfer, attempt_fn *attempt, const char *what)
{
	size_t done = 0;

	if (__builtin_expect(entry->layer != NULL, 0) && fd_has_layer(entry))
		return send_by_layer(entry, transfer, what);
	for (;;) {
		ssize_t sent = send_some(entry, transfer, attempt, what);

		if (sent < 0 && done > 0)
			fd_leave_error(entry);
		if (sent < 0)
			return done > 0 ? (ssize_t)done : -1;
		DCHECK((size_t)sent <= transfer->length);
		done += (size_t)sent;
		if (__builtin_expect(!is_partial(entry, transfer, sent), 1) ||
			!fd_take_turns(entry))
			return (ssize_t)done;
		transfer->buffer = (char *)transfer->buffer + sent;
		transfer->length -= (size_t)sent;
	}
}

static ALWAYS_INLINE ssize_t
send_all(struct transfer *transfer, attempt_fn *attempt, const char *what)
{
	struct hub_fd *entry = transfer_begin(transfer->fd, transfer->flags);

	return __builtin_expect(entry != NULL, 1) ? send_to(entry, transfer, attempt, what) : -1;
}

static ssize_t
attempt_send(const struct transfer *t)
{
	return kernel_sendto(
		t->fd, t->buffer, t->length, t->flags | MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

static ssize_t
attempt_sendto(const struct transfer *t)
{
	return kernel_sendto(t->fd, t->buffer, t->length, t->flags | MSG_DONTWAIT | MSG_NOSIGNAL,
		t->address, *t->address_length);
}

static ssize_t
attempt_sendmsg(const struct transfer *t)
{
	return kernel_sendmsg(t->fd, t->message, t->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t
attempt_write(const struct transfer *t)
{
	const struct iovec part = {t->buffer, t->length};

	return fd_write_now(t->fd, &part, 1);
}

static ssize_t
attempt_writev(const struct transfer *t)
{
	return fd_write_now(t->fd, t->parts, t->count);
}

ssize_t
hub_send(int fd, const void *buffer, size_t length, int flags)
{
	struct transfer transfer = {
		.fd = fd, .flags = flags, .buffer = (void *)(uintptr_t)buffer, .length = length};

	return send_all(&transfer, attempt_send, "send");
}

ssize_t
hub_write(int fd, const void *buffer, size_t length)
{
	struct transfer transfer = {
		.fd = fd, .buffer = (void *)(uintptr_t)buffer, .length = length};

	/* By send(2) on a socket, for MSG_NOSIGNAL. */
	if (fd_is_socket(fd)) {
		ssize_t sent = hub_send(fd, buffer, length, 0);

		if (!fd_was_socket(fd, sent))
			return sent;
	}
	if (__builtin_expect(fd_is_file(fd), 0)) {
		struct iovec part = {(void *)(uintptr_t)buffer, length};

		return file_writev(fd, &part, 1);
	}
	return send_all(&transfer, attempt_write, "write");
}

ssize_t
hub_sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *address,
	socklen_t address_length)
{
	struct transfer transfer = {.fd = fd,
		.flags = flags,
		.buffer = (void *)(uintptr_t)buffer,
		.length = length,
		.address = (struct sockaddr *)(uintptr_t)address,
		.address_length = &address_length};

	return send_all(&transfer, attempt_sendto, "sendto");
}

/* Whether the bytes up to an offset in a part are those that are done. */
static bool
is_done(const struct iovec *parts, size_t part, size_t offset, size_t done)
{
	return parts_length(parts, part) + offset == done;
}

/* Sends the rest of a gathered message, buffer by buffer, after a part of it. */
static ssize_t
send_rest(struct hub_fd *entry, const struct iovec *parts, size_t count, size_t done, int flags)
{
	size_t skip = done;

	for (size_t i = 0; i < count; i++) {
		size_t length = parts[i].iov_len;
		struct transfer piece = {.fd = entry->read.fd, .flags = flags};
		ssize_t sent;

		if (skip >= length) {
			skip -= length;
			continue;
		}
		DCHECK(is_done(parts, i, skip, done));
		piece.buffer = (char *)parts[i].iov_base + skip;
		piece.length = length -= skip;
		skip = 0;
		if (!fd_take_turns(entry))
			break;
		sent = entry->is_socket ? send_to(entry, &piece, attempt_send, "send")
					: send_to(entry, &piece, attempt_write, "write");
		if (sent < 0) {
			fd_leave_error(entry);
			break;
		}
		done += (size_t)sent;
		if ((size_t)sent < length)
			break;
	}
	return (ssize_t)done;
}

/* The loop of the calls that send several buffers. */
static ALWAYS_INLINE ssize_t
send_parts(struct transfer *transfer, const struct iovec *parts, size_t count, attempt_fn *attempt,
	const char *what)
{
	struct hub_fd *entry = transfer_begin(transfer->fd, transfer->flags);
	ssize_t sent;

	if (__builtin_expect(entry == NULL, 0))
		return -1;
	if (__builtin_expect(entry->layer != NULL, 0) && fd_has_layer(entry))
		return send_by_layer(entry, transfer, what);
	sent = send_some(entry, transfer, attempt, what);
	if (__builtin_expect(!is_partial(entry, transfer, sent), 1))
		return sent;
	return send_rest(entry, parts, count, (size_t)sent, transfer->flags);
}

ssize_t
hub_sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (message_is_odd(message))
		return hub_enter() != NULL ? kernel_sendmsg(fd, message, flags | MSG_DONTWAIT) : -1;

	struct transfer transfer = {.fd = fd,
		.flags = flags,
		.message = (struct msghdr *)(uintptr_t)message,
		.length = parts_length(message->msg_iov, message->msg_iovlen)};

	return send_parts(
		&transfer, message->msg_iov, message->msg_iovlen, attempt_sendmsg, "sendmsg");
}

ssize_t
hub_writev(int fd, const struct iovec *parts, int count)
{
	if (parts_are_odd(parts, (size_t)count))
		return hub_enter() != NULL ? kernel_writev(fd, parts, count) : -1;

	struct transfer transfer = {.fd = fd,
		.parts = parts,
		.count = count,
		.length = parts_length(parts, (size_t)count)};

	if (fd_is_socket(fd)) {
		struct msghdr message = {
			.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};

		ssize_t sent = hub_sendmsg(fd, &message, 0);

		if (!fd_was_socket(fd, sent))
			return sent;
	}
	if (__builtin_expect(fd_is_file(fd), 0))
		return file_writev(fd, parts, count);
	return send_parts(&transfer, parts, (size_t)count, attempt_writev, "writev");
}
