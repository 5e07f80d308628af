/* Each call is one attempt (a POSIX call that does not block) in one of three loops: receive, send,
 * accept. The loops are inlined into the calls, so the attempt costs no indirect call.
 *
 * A number is looked up once, when a call begins. From then on the entry is used, and what may
 * switch (a wait, a turn of others) compares its generation: so what comes next is done to the same
 * open file. */
#include "hub/io/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/io/fd_priv.h"
#include "hub/io/file_priv.h"
#include "hub/io/identity_priv.h"
#include "hub/io/layer_priv.h"
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

static size_t
parts_length(const struct iovec *parts, size_t count)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += parts[i].iov_len;
	return length;
}

/* The parts of a transfer, for a layer. */
static const struct iovec *
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

/* A stream's bytes come without an address, and through a layer without anything else. */
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

static __attribute__((noinline)) ssize_t
send_by_layer(struct hub_fd *entry, const struct transfer *transfer, const char *what)
{
	struct iovec whole;
	size_t count;
	const struct iovec *parts = transfer_parts(transfer, &whole, &count);

	return layer_send(entry, parts, count, transfer->flags, what);
}

/* The loop of all that receives. A fairness pause comes before the attempt and never after: what
 * has arrived in the caller's buffer is returned without a switch. */
static ALWAYS_INLINE ssize_t
receive_from(struct hub_fd *entry, const struct transfer *transfer, attempt_fn *attempt,
	const char *what)
{
	if (__builtin_expect(entry->layer != NULL, 0) && fd_has_layer(entry))
		return receive_by_layer(entry, transfer, what);
	for (;;) {
		ssize_t received;

		if (fd_is_drained(entry) && !(transfer->flags & MSG_DONTWAIT) &&
			fd_wait_drained(entry, what) != 0)
			return -1;
		received = attempt(transfer);
		if (__builtin_expect(received > 0, 1)) {
			fd_set_drained(entry, entry->is_stream &&
						      (size_t)received < transfer->length &&
						      !(transfer->flags & (MSG_PEEK | MSG_OOB)));
			fd_note_received(hub_this, entry);
			fd_count_bytes(&hub_this->counters->bytes_received, (size_t)received);
			return received;
		}
		if (received == 0) {
			fd_set_drained(entry, false);
			return 0;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN && fd_input_has_ended(entry))
			return 0;
		if (errno != EAGAIN || (transfer->flags & MSG_DONTWAIT))
			return -1;
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

/* The first attempt that sends anything. */
static ALWAYS_INLINE ssize_t
send_some(struct hub_fd *entry, const struct transfer *transfer, attempt_fn *attempt,
	const char *what)
{
	for (;;) {
		ssize_t sent = attempt(transfer);

		if (__builtin_expect(sent >= 0, 1)) {
			fd_note_sent(hub_this, entry);
			fd_count_bytes(&hub_this->counters->bytes_sent, (size_t)sent);
			return sent;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || (transfer->flags & MSG_DONTWAIT))
			return -1;
		if (fd_wait_write(entry, what) != 0)
			return -1;
	}
}

/* A stream that took a part takes the rest later; a datagram, or MSG_DONTWAIT, is done. */
static ALWAYS_INLINE bool
is_partial(const struct hub_fd *entry, const struct transfer *transfer, ssize_t sent)
{
	return sent > 0 && (size_t)sent < transfer->length && !(transfer->flags & MSG_DONTWAIT) &&
	       !entry->is_file;
}

/* The loop of all that sends from one buffer: one attempt after the other. A layer sends all
 * itself. */
static ALWAYS_INLINE ssize_t
send_to(struct hub_fd *entry, struct transfer *transfer, attempt_fn *attempt, const char *what)
{
	size_t done = 0;

	if (__builtin_expect(entry->layer != NULL, 0) && fd_has_layer(entry))
		return send_by_layer(entry, transfer, what);
	for (;;) {
		ssize_t sent = send_some(entry, transfer, attempt, what);

		if (sent < 0)
			return done > 0 ? (ssize_t)done : -1;
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

/* The rest of what MSG_WAITALL asks for, as far as it comes. */
static __attribute__((noinline)) ssize_t
receive_rest(struct hub_fd *entry, struct transfer *transfer, ssize_t got)
{
	ssize_t received = got;

	while ((size_t)received < transfer->length &&
		((transfer->flags & MSG_DONTWAIT) || fd_take_turns(entry))) {
		transfer->buffer = (char *)transfer->buffer + received;
		transfer->length -= (size_t)received;
		/* The wait of a drained stream may go on with the number's next one. */
		if (entry->layer == NULL)
			fd_set_drained(entry, false);
		received = receive_from(entry, transfer, attempt_recv, "recv");
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

	/* For MSG_NOSIGNAL. */
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

/* After a part of a gathered message went out: the rest, piece by piece. */
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
		piece.buffer = (char *)parts[i].iov_base + skip;
		piece.length = length -= skip;
		skip = 0;
		if (!fd_take_turns(entry))
			break;
		sent = entry->is_socket ? send_to(entry, &piece, attempt_send, "send")
					: send_to(entry, &piece, attempt_write, "write");
		if (sent < 0)
			break;
		done += (size_t)sent;
		if ((size_t)sent < length)
			break;
	}
	return (ssize_t)done;
}

/* The same from several buffers. */
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

int
hub_socket(int domain, int type, int protocol)
{
	struct hub *hub = hub_this;
	int fd;

	if (hub == NULL || hub->loop == NULL)
		return failed(EPERM);
	fd = kernel_socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd == -1)
		return -1;
	if (fd_enter_new(hub, fd, (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM) ==
		NULL) {
		kernel_close(fd);
		return failed(ENOMEM);
	}
	return fd;
}

int
hub_accept(int fd, struct sockaddr *address, socklen_t *length)
{
	struct hub_fd *listener = transfer_begin(fd, 0), *entry;
	int client;

	if (listener == NULL)
		return -1;
	while ((client = fd_accept_now(fd, address, length)) == -1) {
		if (errno != EAGAIN || fd_wait_read(listener, "accept") != 0)
			return -1;
	}
	listener->exchange |= FD_CAME_SINCE;
	entry = fd_enter_new(hub_this, client, listener->is_stream);
	if (entry == NULL) {
		kernel_close(client);
		return failed(ENOMEM);
	}
	/* A client seldom speaks before it is accepted: wait for it instead of asking first. */
	entry->drained_for = entry->is_stream ? FD_ANYBODY : NULL;
	return client;
}

/* A Unix socket whose backlog is full answers EAGAIN and cannot be polled for room. */
static int
connect_retry(struct hub_fd *entry, const struct sockaddr *address, socklen_t length)
{
	int64_t pause = HUB_MILLISECOND;
	fd_generation generation = entry->generation;

	for (;;) {
		if (kernel_connect(entry->read.fd, address, length) == 0)
			return 0;
		if (errno != EAGAIN || address->sa_family != AF_UNIX)
			return -1;
		if (hub_sleep(pause) != 0)
			return -1;
		if (entry->generation != generation || !fd_is_same(hub_this, entry))
			return failed(EBADF);
		if (pause < 64 * HUB_MILLISECOND)
			pause *= 2;
	}
}

int
hub_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;
	int error = 0;
	socklen_t size = sizeof error;

	/* A descriptor enters here, whatever its number was before. */
	if (self == NULL || hub_adopt(fd) != 0)
		return -1;
	entry = fd_lookup(self->hub, fd);
	if (!fd_take_turns(entry))
		return -1;
	if (connect_retry(entry, address, length) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -1;
	if (fd_wait_write(entry, "connect") != 0)
		return -1;
	if (kernel_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return -1;
	return failed(error);
}

int
hub_shutdown(int fd, int how)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;

	if (self == NULL)
		return -1;
	entry = fd_lookup_watched(self->hub, fd);
	if (entry == NULL ||
		(fd_has_layer(entry) && how != SHUT_RD && layer_end_output(entry, "shutdown") != 0))
		return -1;
	return kernel_shutdown(fd, how);
}
