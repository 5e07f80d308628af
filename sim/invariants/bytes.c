/* Every byte arrives once, in order, at its own connection. The hub's calls that send and receive
 * stand here, around the real ones (CMakeLists.txt names them ..._itself): meanwhile the door tells
 * what the socket takes and gives. That must be the caller's bytes, from the first on, and as many
 * as the call returns; and the socket must be the one that the descriptor referred to when the call
 * began. With a layer, such as TLS, the bytes are not the caller's. */
#include "sim/invariants/bytes_priv.h"

#include <string.h>

#include "hub/io/fd_priv.h"
#include "hub/io/socket.h"
#include "hub/scheduler_priv.h"
#include "sim/invariants/awaited_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/world/who_priv.h"
#include "sim/world/world_priv.h"

#define BUCKETS 1024 /* a power of 2 */

/* A call, on its coroutine's stack. */
struct call {
	struct call *next; /* in its bucket; the innermost first */
	const struct hub_coroutine *coroutine;
	const char *what;
	int fd;
	unsigned long inode;      /* of the file when the call began; 0: it is not looked at */
	fd_generation generation; /* 0: the hub did not know the descriptor */
	const struct iovec *parts;
	size_t count;
	size_t done;    /* bytes that the file has taken or given */
	bool has_ended; /* the file has said that its input has */
};

static struct call *calls[BUCKETS];

static inline struct call **
bucket_of(const struct hub_coroutine *coroutine)
{
	return &calls[(uintptr_t)coroutine >> 12 & (BUCKETS - 1)];
}

/* The running coroutine, or NULL. */
static inline struct hub_coroutine *
running(void)
{
	return hub_this != NULL && hub_this->current != &hub_this->root ? hub_this->current : NULL;
}

/* What the hub knows of the descriptor; NULL: nothing. */
static inline const struct hub_fd *
entry_of(int fd)
{
	return (unsigned)fd < hub_this->fds.size ? fd_entry(hub_this, fd) : NULL;
}

static void
begin(struct call *call, const char *what, int fd, const struct iovec *parts, size_t count)
{
	const struct hub_coroutine *self = files_has(fd) ? running() : NULL;
	const struct file *file = files_find(fd);
	const struct hub_fd *entry;
	struct call **bucket;

	call->inode = 0;
	if (self == NULL || file == NULL || file->kind->socket_type == 0)
		return;
	entry = entry_of(fd);
	if (entry != NULL && entry->layer != NULL)
		return;
	bucket = bucket_of(self);
	*call = (struct call){.next = *bucket,
		.coroutine = self,
		.what = what,
		.fd = fd,
		.inode = file->inode,
		.generation = entry != NULL ? entry->generation : 0,
		.parts = parts,
		.count = count};
	*bucket = call;
}

/* The call ends. Returns whether it was looked at. */
static inline bool
end(struct call *call)
{
	struct call **link;

	if (call->inode == 0)
		return false;
	link = bucket_of(call->coroutine);
	while (*link != call)
		link = &(*link)->next;
	*link = call->next;
	return true;
}

/* Whether the caller is told of the bytes that were moved. */
static inline bool
is_told(const struct call *call, ssize_t result)
{
	return result == (ssize_t)call->done || (result == -1 && call->done == 0);
}

static inline ssize_t
end_sending(struct call *call, ssize_t result)
{
	if (end(call) && !is_told(call, result))
		world_fail(
			"%s: %s of descriptor %d returns %ld, and the socket has taken %zu bytes",
			name_of(call->coroutine), call->what, call->fd, (long)result, call->done);
	return result;
}

/* A call that has returned 0. Keeps errno. */
static void
look_at_end(const struct call *call)
{
	int error = errno;

	if (!call->has_ended && !hub_input_has_ended(call->fd))
		world_fail("%s: %s of descriptor %d returns 0, and its input has not ended",
			name_of(call->coroutine), call->what, call->fd);
	errno = error;
}

static inline ssize_t
end_receiving(struct call *call, ssize_t result, int flags)
{
	if (!end(call) || (flags & (MSG_TRUNC | MSG_ERRQUEUE)) != 0)
		return result;
	if (!is_told(call, result))
		world_fail(
			"%s: %s of descriptor %d returns %ld, and the socket has given %zu bytes",
			name_of(call->coroutine), call->what, call->fd, (long)result, call->done);
	if (result == 0)
		look_at_end(call);
	return result;
}

/* ---- what the socket says ---- */

/* Whether the call's descriptor refers to that file. It may have become known to the hub since the
 * call began, or another file's. */
static bool
is_still_of(struct call *call, const struct file *file)
{
	const struct hub_fd *entry = entry_of(call->fd);
	fd_generation generation = entry != NULL ? entry->generation : 0;

	if (files_find(call->fd) != file)
		return false;
	if (call->generation == 0 && file->inode == call->inode)
		call->generation = generation;
	/* What is closed behind the hub's back, it need not know. */
	if (file->inode != call->inode && generation != call->generation)
		world_fail("%s: %s goes on with descriptor %d, which was closed and used again",
			name_of(call->coroutine), call->what, call->fd);
	return true;
}

/* The call of the running coroutine on that descriptor; NULL: none. The program's own calls are
 * none. */
static inline struct call *
call_of(const struct file *file)
{
	const struct hub_coroutine *self = running();
	struct call *call = self != NULL ? *bucket_of(self) : NULL;

	while (call != NULL && call->coroutine != self)
		call = call->next;
	if (call == NULL || (file->inode == call->inode && call->generation != 0))
		return call;
	return is_still_of(call, file) ? call : NULL;
}

/* The caller's bytes from that offset on; at most *length, which becomes how many lie together. */
static const unsigned char *
bytes_at(const struct call *call, size_t offset, size_t *length)
{
	size_t i = 0;

	while (i < call->count && offset >= call->parts[i].iov_len)
		offset -= call->parts[i++].iov_len;
	if (i == call->count)
		return NULL;
	if (*length > call->parts[i].iov_len - offset)
		*length = call->parts[i].iov_len - offset;
	return (const unsigned char *)call->parts[i].iov_base + offset;
}

/* Whether the first bytes of the transfer are the caller's from done on. */
static bool
are_next(const struct call *call, const struct transfer *transfer, size_t length)
{
	size_t offset = call->done;

	for (size_t i = 0; length > 0; i++) {
		const unsigned char *at = transfer->parts[i].iov_base;
		size_t left =
			transfer->parts[i].iov_len < length ? transfer->parts[i].iov_len : length;

		length -= left;
		while (left > 0) {
			size_t together = left;
			const unsigned char *own = bytes_at(call, offset, &together);

			if (own == NULL || (own != at && memcmp(own, at, together) != 0))
				return false;
			at += together;
			offset += together;
			left -= together;
		}
	}
	return true;
}

/* The same. */
static inline bool
is_next(const struct call *call, const struct transfer *transfer, size_t length)
{
	const struct iovec *own = call->parts, *moved = transfer->parts;

	/* As most calls are. */
	if (call->count == 1 && transfer->count == 1 &&
		moved->iov_base == (char *)own->iov_base + call->done)
		return call->done + length <= own->iov_len;
	return are_next(call, transfer, length);
}

void
bytes_taken(const struct file *file, const struct transfer *transfer, ssize_t length)
{
	struct call *call = length > 0 ? call_of(file) : NULL;

	if (call == NULL)
		return;
	if (!is_next(call, transfer, (size_t)length))
		world_fail("%s: %s gives descriptor %d bytes that are not the next of the caller's",
			name_of(call->coroutine), call->what, call->fd);
	call->done += (size_t)length;
}

void
bytes_given(const struct file *file, const struct transfer *transfer, ssize_t length)
{
	struct call *call = length >= 0 ? call_of(file) : NULL;

	if (call == NULL)
		return;
	call->has_ended = length == 0;
	if (!(transfer->flags & MSG_TRUNC) && !is_next(call, transfer, (size_t)length))
		world_fail("%s: %s puts bytes of descriptor %d where they do not belong",
			name_of(call->coroutine), call->what, call->fd);
	call->done += (size_t)length;
}

void
bytes_forget(const struct hub *hub)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct call **link = &calls[i]; *link != NULL;)
			if ((*link)->coroutine->hub == hub)
				*link = (*link)->next;
			else
				link = &(*link)->next;
}

void
bytes_end(void)
{
	memset(calls, 0, sizeof calls);
}

/* ---- the calls ---- */

ssize_t _hub_send_itself(int fd, const void *buffer, size_t length, int flags);
ssize_t _hub_sendto_itself(int fd, const void *buffer, size_t length, int flags,
	const struct sockaddr *address, socklen_t address_length);
ssize_t _hub_sendmsg_itself(int fd, const struct msghdr *message, int flags);
ssize_t _hub_write_itself(int fd, const void *buffer, size_t length);
ssize_t _hub_writev_itself(int fd, const struct iovec *parts, int count);
ssize_t _hub_recv_itself(int fd, void *buffer, size_t length, int flags);
ssize_t _hub_recvfrom_itself(int fd, void *buffer, size_t length, int flags,
	struct sockaddr *address, socklen_t *address_length);
ssize_t _hub_recvmsg_itself(int fd, struct msghdr *message, int flags);
ssize_t _hub_read_itself(int fd, void *buffer, size_t length);
ssize_t _hub_readv_itself(int fd, const struct iovec *parts, int count);

static struct iovec
part_of(const void *buffer, size_t length)
{
	return (struct iovec){(void *)(uintptr_t)buffer, length};
}

ssize_t
hub_send(int fd, const void *buffer, size_t length, int flags)
{
	const struct iovec part = part_of(buffer, length);
	struct call call;

	begin(&call, "hub_send", fd, &part, 1);
	return end_sending(&call, _hub_send_itself(fd, buffer, length, flags));
}

ssize_t
hub_sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *address,
	socklen_t address_length)
{
	const struct iovec part = part_of(buffer, length);
	struct call call;

	begin(&call, "hub_sendto", fd, &part, 1);
	return end_sending(
		&call, _hub_sendto_itself(fd, buffer, length, flags, address, address_length));
}

ssize_t
hub_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct call call;

	begin(&call, "hub_sendmsg", fd, message != NULL ? message->msg_iov : NULL,
		message != NULL ? message->msg_iovlen : 0);
	return end_sending(&call, _hub_sendmsg_itself(fd, message, flags));
}

ssize_t
hub_write(int fd, const void *buffer, size_t length)
{
	const struct iovec part = part_of(buffer, length);
	struct call call;

	begin(&call, "hub_write", fd, &part, 1);
	return end_sending(&call, _hub_write_itself(fd, buffer, length));
}

ssize_t
hub_writev(int fd, const struct iovec *parts, int count)
{
	struct call call;

	begin(&call, "hub_writev", fd, parts, count > 0 ? (size_t)count : 0);
	return end_sending(&call, _hub_writev_itself(fd, parts, count));
}

ssize_t
hub_recv(int fd, void *buffer, size_t length, int flags)
{
	const struct iovec part = part_of(buffer, length);
	struct call call;

	begin(&call, "hub_recv", fd, &part, 1);
	return end_receiving(&call, _hub_recv_itself(fd, buffer, length, flags), flags);
}

ssize_t
hub_recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *address,
	socklen_t *address_length)
{
	const struct iovec part = part_of(buffer, length);
	struct call call;

	begin(&call, "hub_recvfrom", fd, &part, 1);
	return end_receiving(&call,
		_hub_recvfrom_itself(fd, buffer, length, flags, address, address_length), flags);
}

ssize_t
hub_recvmsg(int fd, struct msghdr *message, int flags)
{
	struct call call;

	begin(&call, "hub_recvmsg", fd, message != NULL ? message->msg_iov : NULL,
		message != NULL ? message->msg_iovlen : 0);
	return end_receiving(&call, _hub_recvmsg_itself(fd, message, flags), flags);
}

ssize_t
hub_read(int fd, void *buffer, size_t length)
{
	const struct iovec part = part_of(buffer, length);
	struct call call;

	begin(&call, "hub_read", fd, &part, 1);
	return end_receiving(&call, _hub_read_itself(fd, buffer, length), 0);
}

ssize_t
hub_readv(int fd, const struct iovec *parts, int count)
{
	struct call call;

	begin(&call, "hub_readv", fd, parts, count > 0 ? (size_t)count : 0);
	return end_receiving(&call, _hub_readv_itself(fd, parts, count), 0);
}
