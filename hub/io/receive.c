/* Receiving and reading. Each public call fills in a struct transfer and runs one loop,
 * receive_from, with its own attempt. The loop never switches between an attempt that has received
 * bytes and the return, so coroutines may share a buffer. */
#include "hub/io/socket.h"

#include <errno.h>
#include <stdint.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/buffers_priv.h"
#include "hub/io/file_priv.h"
#include "hub/io/layer_priv.h"
#include "hub/io/receive_priv.h"
#include "hub/io/traffic_priv.h"
#include "hub/io/transfer_priv.h"

/* Receives through a layer: bytes of a stream, without an address and without control messages. */
static __attribute__((noinline)) ssize_t
receive_by_layer(struct hub_fd *entry, const struct transfer *transfer, const char *what)
{
	struct iovec whole;
	size_t count;
	const struct iovec *parts = transfer_parts(transfer, &whole, &count);
	ssize_t received = layer_receive(entry, parts, count, transfer->flags, what);

	if (received < 0)
		return -1;
	if (transfer->message != NULL) {
		transfer->message->msg_namelen = 0;
		transfer->message->msg_controllen = 0;
		transfer->message->msg_flags = 0;
	} else if (transfer->address_length != NULL) {
		*transfer->address_length = 0;
	}
	return received;
}

/* The end of the stream, or the loss of the connection that the call before has not told. */
static __attribute__((noinline)) ssize_t
receive_end(struct hub_fd *entry)
{
	int lost;

	fd_set_drained(entry, false);
	lost = fd_take_loss(entry);
	return lost != 0 ? failed(lost) : 0;
}

/* The loop of all receiving calls. Other coroutines run before the attempt and never after it:
 * bytes that have arrived in the caller's buffer are returned without a switch. */
static ALWAYS_INLINE ssize_t
receive_from(struct hub_fd *entry, const struct transfer *transfer, attempt_fn *attempt,
	const char *what)
{
	if (__builtin_expect(entry->layer != NULL, 0)) {
		if (fd_has_layer(entry))
			return receive_by_layer(entry, transfer, what);
		/* The fd was closed by others: the entry is of no file. */
		if (entry->generation == 0)
			return -1;
	}
	for (;;) {
		ssize_t received;

		if (fd_is_drained(entry) && !(transfer->flags & MSG_DONTWAIT) &&
			fd_wait_drained(entry, what) != 0)
			return -1;
		DCHECK(transfer->fd == entry->read.fd);
		received = attempt(transfer);
		if (__builtin_expect(received > 0, 1)) {
			DCHECK((size_t)received <= transfer->length ||
				(transfer->flags & MSG_TRUNC));
			fd_set_drained(entry, entry->is_stream &&
						      (size_t)received < transfer->length &&
						      !(transfer->flags & (MSG_PEEK | MSG_OOB)));
			fd_note_received(hub_this, entry);
			fd_count_received(hub_this, entry, (size_t)received);
			if (!(transfer->flags & MSG_PEEK))
				fd_carry_in(entry, (size_t)received);
			return received;
		}
		if (received == 0)
			return receive_end(entry);
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN && fd_input_has_ended(entry))
			return 0;
		if (errno != EAGAIN || (transfer->flags & MSG_DONTWAIT)) {
			fd_note_failure(entry);
			return -1;
		}
		if (fd_wait_read(entry, what) != 0)
			return -1;
	}
}

static ALWAYS_INLINE ssize_t
receive(const struct transfer *transfer, attempt_fn *attempt, const char *what)
{
	struct hub_fd *entry = transfer_begin(transfer->fd, transfer->flags);

	return __builtin_expect(entry != NULL, 1) ? receive_from(entry, transfer, attempt, what)
						  : -1;
}

static ssize_t
attempt_recv(const struct transfer *t)
{
	return kernel_recvfrom(t->fd, t->buffer, t->length, t->flags | MSG_DONTWAIT, NULL, NULL);
}

static ssize_t
attempt_recvfrom(const struct transfer *t)
{
	return kernel_recvfrom(t->fd, t->buffer, t->length, t->flags | MSG_DONTWAIT, t->address,
		t->address_length);
}

static ssize_t
attempt_recvmsg(const struct transfer *t)
{
	return kernel_recvmsg(t->fd, t->message, t->flags | MSG_DONTWAIT);
}

static ssize_t
attempt_read(const struct transfer *t)
{
	const struct iovec part = {t->buffer, t->length};

	return fd_read_now(t->fd, &part, 1);
}

static ssize_t
attempt_readv(const struct transfer *t)
{
	return fd_read_now(t->fd, t->parts, t->count);
}

/* Receives the rest of what MSG_WAITALL asks for, until an error or the end. */
static __attribute__((noinline)) ssize_t
receive_rest(struct hub_fd *entry, struct transfer *transfer, ssize_t got)
{
	ssize_t received = got;

	while ((size_t)received < transfer->length &&
		((transfer->flags & MSG_DONTWAIT) || fd_take_turns(entry))) {
		transfer->buffer = (char *)transfer->buffer + received;
		transfer->length -= (size_t)received;
		/* Not as a drained stream, whose wait may go on with another open file under the
		 * same fd. */
		if (entry->layer == NULL)
			fd_set_drained(entry, false);
		received = receive_from(entry, transfer, attempt_recv, "recv");
		if (received < 0)
			fd_leave_error(entry);
		if (received <= 0)
			break;
		got += received;
	}
	return got;
}

ssize_t
hub_recv(int fd, void *buffer, size_t length, int flags)
{
	struct transfer transfer = {.fd = fd, .flags = flags, .buffer = buffer, .length = length};
	struct hub_fd *entry = transfer_begin(fd, flags);
	ssize_t received;

	if (__builtin_expect(entry == NULL, 0))
		return -1;
	received = receive_from(entry, &transfer, attempt_recv, "recv");
	if (__builtin_expect((flags & (MSG_WAITALL | MSG_PEEK)) != MSG_WAITALL, 1) ||
		received <= 0 || !entry->is_stream)
		return received;
	return receive_rest(entry, &transfer, received);
}

ssize_t
hub_recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *address,
	socklen_t *address_length)
{
	struct transfer transfer = {.fd = fd,
		.flags = flags,
		.buffer = buffer,
		.length = length,
		.address = address,
		.address_length = address_length};

	return receive(&transfer, attempt_recvfrom, "recvfrom");
}

ssize_t
hub_recvmsg(int fd, struct msghdr *message, int flags)
{
	if (message_is_odd(message))
		return hub_enter() != NULL ? kernel_recvmsg(fd, message, flags | MSG_DONTWAIT) : -1;

	struct transfer transfer = {.fd = fd,
		.flags = flags,
		.message = message,
		.length = parts_length(message->msg_iov, message->msg_iovlen)};

	return receive(&transfer, attempt_recvmsg, "recvmsg");
}

ssize_t
hub_read(int fd, void *buffer, size_t length)
{
	struct transfer transfer = {.fd = fd, .buffer = buffer, .length = length};

	if (length > 0 && fd_is_socket(fd)) {
		ssize_t received = hub_recv(fd, buffer, length, 0);

		if (!fd_was_socket(fd, received))
			return received;
	}
	if (__builtin_expect(fd_is_file(fd), 0)) {
		struct iovec part = {buffer, length};

		return file_readv(fd, &part, 1);
	}
	return receive(&transfer, attempt_read, "read");
}

ssize_t
hub_readv(int fd, const struct iovec *parts, int count)
{
	if (parts_are_odd(parts, (size_t)count))
		return hub_enter() != NULL ? kernel_readv(fd, parts, count) : -1;

	struct transfer transfer = {.fd = fd,
		.parts = parts,
		.count = count,
		.length = parts_length(parts, (size_t)count)};

	if (transfer.length > 0 && fd_is_socket(fd)) {
		struct msghdr message = {
			.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};
		ssize_t received = hub_recvmsg(fd, &message, 0);

		if (!fd_was_socket(fd, received))
			return received;
	}
	if (__builtin_expect(fd_is_file(fd), 0))
		return file_readv(fd, parts, count);
	return receive(&transfer, attempt_readv, "readv");
}

/* ---- without a buffer while it waits ---- */

/* Takes a buffer, and gives it back unless bytes came into it. */
static ALWAYS_INLINE ssize_t
attempt_late(const struct transfer *t, attempt_fn *attempt)
{
	char **buffer = t->buffer;
	struct transfer taken = *t;
	ssize_t received;

	taken.buffer = *buffer = buffer_take(hub_this);
	if (*buffer == NULL)
		return -1;
	received = attempt(&taken);
	if (received <= 0) {
		buffer_give(hub_this, *buffer);
		*buffer = NULL;
	}
	return received;
}

static ssize_t
attempt_late_recv(const struct transfer *t)
{
	return attempt_late(t, attempt_recv);
}

static ssize_t
attempt_late_read(const struct transfer *t)
{
	return attempt_late(t, attempt_read);
}

static ssize_t
attempt_late_file(const struct transfer *t)
{
	struct iovec part = {t->buffer, t->length};

	return file_readv(t->fd, &part, 1);
}

/* The layer is asked without waiting. */
static ssize_t
attempt_late_layer(const struct transfer *t)
{
	struct iovec part = {t->buffer, t->length};

	return layer_receive(fd_entry(hub_this, t->fd), &part, 1, t->flags | MSG_DONTWAIT, "recv");
}

static ssize_t
receive_late_by_layer(struct hub_fd *entry, const struct transfer *transfer)
{
	for (;;) {
		ssize_t received = attempt_late(transfer, attempt_late_layer);

		if (received >= 0 || errno != EAGAIN || (transfer->flags & MSG_DONTWAIT) ||
			fd_wait_read(entry, "recv") != 0)
			return received < 0 ? -1 : received;
	}
}

ssize_t
fd_receive_late(int fd, int flags, char **buffer)
{
	struct transfer transfer = {
		.fd = fd, .flags = flags, .buffer = buffer, .length = BUFFER_SIZE - 1};
	struct hub_fd *entry;

	*buffer = NULL;
	if (__builtin_expect(fd_is_file(fd), 0))
		return attempt_late(&transfer, attempt_late_file);
	entry = transfer_begin(fd, flags);
	if (entry == NULL)
		return -1;
	if (entry->layer != NULL && fd_has_layer(entry))
		return receive_late_by_layer(entry, &transfer);
	if (!entry->is_socket)
		return receive_from(entry, &transfer, attempt_late_read, "read");
	return receive_from(entry, &transfer, attempt_late_recv, "recv");
}
