/* Calls that move bytes: one record of what moves, whichever the call. */
#include <errno.h>
#include <stdint.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "sim/door/door_priv.h"
#include "sim/invariants/bytes_priv.h"
#include "sim/invariants/greed_priv.h"
#include "sim/kernel/cargo_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/world/world_priv.h"

#define COPY_SIZE 65536

static inline size_t
length_of(const struct iovec *parts, size_t count)
{
	size_t length = 0;

	if (count == 1)
		return parts->iov_len;
	for (size_t i = 0; i < count; i++)
		length += parts[i].iov_len;
	return length;
}

/* What is sent counts in the trace. */
static void
see_parts(const struct iovec *parts, size_t length)
{
	for (; length > 0; parts++) {
		size_t part = parts->iov_len < length ? parts->iov_len : length;

		world_see(parts->iov_base, part);
		length -= part;
	}
}

/* A call that would have to wait is no event. Keeps errno. */
static void
note_error(const struct file *file, int fd, const char *what)
{
	int error = errno;

	if (error != EAGAIN)
		file_note_error(file, fd, what, error);
	errno = error;
}

static ssize_t
receive(int fd, struct transfer *transfer)
{
	struct file *file = door_enter(fd);
	ssize_t got;

	if (file == NULL)
		return -1;
	if (file->kind->receive == NULL || file->access == O_WRONLY)
		return failed(file->kind->socket_type != 0 ? EOPNOTSUPP : EBADF);
	if (door_fails(file->kind->seek != NULL ? ERRNOS_READ : ERRNOS_RECEIVE, file))
		return -1;
	transfer->length = length_of(transfer->parts, transfer->count);
	got = file->kind->receive(file, transfer);
	bytes_given(file, transfer, got);
	if (got > 0)
		greed_received(file, fd);
	if (transfer->message != NULL && got >= 0) {
		transfer->message->msg_flags = transfer->told;
		cargo_unpack(transfer->cargo, transfer->message, transfer->flags);
	} else {
		cargo_drop(transfer->cargo);
	}
	if (got >= 0)
		file_note(file, fd, "receives %ld of %ld bytes", (long)got, (long)transfer->length);
	else
		note_error(file, fd, "receives nothing");
	return got;
}

static ssize_t
dispatch(int fd, struct transfer *transfer)
{
	struct file *file = door_enter(fd);
	ssize_t sent;

	if (file == NULL)
		return -1;
	if (file->kind->send == NULL || file->access == O_RDONLY)
		return failed(file->kind->socket_type != 0 ? EOPNOTSUPP : EBADF);
	if (file->kind->socket_type != 0 && world_chance(world_options()->no_memory))
		return failed(ENOBUFS);
	if (door_fails(file->kind->seek != NULL ? ERRNOS_WRITE : ERRNOS_SEND, file))
		return -1;
	transfer->length = length_of(transfer->parts, transfer->count);
	sent = file->kind->send(file, transfer);
	bytes_taken(file, transfer, sent);
	if (sent < 0) {
		note_error(file, fd, "sends nothing");
		return -1;
	}
	file_note(file, fd, "sends %ld of %ld bytes", (long)sent, (long)transfer->length);
	see_parts(transfer->parts, (size_t)sent);
	return sent;
}

ssize_t
kernel_read(int fd, void *buffer, size_t length)
{
	struct iovec part = {buffer, length};

	return files_has(fd) ? kernel_readv(fd, &part, 1) : real_read(fd, buffer, length);
}

ssize_t
kernel_readv(int fd, const struct iovec *parts, int count)
{
	struct transfer transfer = {.parts = parts, .count = (size_t)count};

	return files_has(fd) ? receive(fd, &transfer) : real_readv(fd, parts, count);
}

ssize_t
kernel_write(int fd, const void *buffer, size_t length)
{
	struct iovec part = {(void *)(uintptr_t)buffer, length};

	return files_has(fd) ? kernel_writev(fd, &part, 1) : real_write(fd, buffer, length);
}

ssize_t
kernel_writev(int fd, const struct iovec *parts, int count)
{
	struct transfer transfer = {.parts = parts, .count = (size_t)count};

	return files_has(fd) ? dispatch(fd, &transfer) : real_writev(fd, parts, count);
}

ssize_t
kernel_recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *address,
	socklen_t *address_length)
{
	struct iovec part = {buffer, length};
	struct transfer transfer = {.parts = &part,
		.count = 1,
		.flags = flags,
		.address = address,
		.address_length = address_length};

	return files_has(fd) ? receive(fd, &transfer)
			     : real_recvfrom(fd, buffer, length, flags, address, address_length);
}

ssize_t
kernel_recvmsg(int fd, struct msghdr *message, int flags)
{
	struct transfer transfer = {.parts = message->msg_iov,
		.count = message->msg_iovlen,
		.flags = flags,
		.address = message->msg_name,
		.address_length = &message->msg_namelen,
		.message = message};

	if (!files_has(fd))
		return real_recvmsg(fd, message, flags);
	return receive(fd, &transfer);
}

ssize_t
kernel_sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *address,
	socklen_t address_length)
{
	struct iovec part = {(void *)(uintptr_t)buffer, length};
	struct transfer transfer = {.parts = &part,
		.count = 1,
		.flags = flags,
		.address = (struct sockaddr *)(uintptr_t)address,
		.address_length = &address_length};

	return files_has(fd) ? dispatch(fd, &transfer)
			     : real_sendto(fd, buffer, length, flags, address, address_length);
}

ssize_t
sim_recvfrom_at_once(int fd, void *buffer, size_t length, int flags, struct sockaddr *address,
	socklen_t *address_length)
{
	ssize_t got;

	fiber_preempt_disable();
	got = kernel_recvfrom(fd, buffer, length, flags, address, address_length);
	fiber_preempt_enable();
	return got;
}

ssize_t
sim_sendto_at_once(int fd, const void *buffer, size_t length, int flags,
	const struct sockaddr *address, socklen_t address_length)
{
	ssize_t sent;

	fiber_preempt_disable();
	sent = kernel_sendto(fd, buffer, length, flags, address, address_length);
	fiber_preempt_enable();
	return sent;
}

static bool
is_unix(int fd)
{
	const struct file *file = files_get(fd);

	return file != NULL && file->kind->socket_type != 0 && file->family == AF_UNIX;
}

ssize_t
kernel_sendmsg(int fd, const struct msghdr *message, int flags)
{
	socklen_t address_length = message->msg_namelen;
	struct transfer transfer = {.parts = message->msg_iov,
		.count = message->msg_iovlen,
		.flags = flags,
		.address = message->msg_name,
		.address_length = &address_length};
	ssize_t sent;

	if (!files_has(fd))
		return real_sendmsg(fd, message, flags);
	/* Other sockets are told by control messages what does not matter in this world. */
	if (is_unix(fd) && cargo_pack(message, &transfer.cargo) != 0)
		return -1;
	sent = dispatch(fd, &transfer);
	cargo_drop(transfer.cargo);
	return sent;
}

/* ---- files with an offset ---- */

/* A transfer at an offset; -1: the file's own. */
static ssize_t
transfer_at(int fd, const struct iovec *parts, int count, off_t offset, int flags, bool is_write)
{
	const struct file *file = files_get(fd);
	struct transfer transfer = {.parts = parts,
		.count = (size_t)count,
		.offset = offset != -1 ? &offset : NULL,
		.is_now = flags & RWF_NOWAIT};

	if (file == NULL)
		return -1;
	if (offset != -1 && file->kind->seek == NULL)
		return failed(ESPIPE);
	if (offset < -1)
		return failed(EINVAL);
	return is_write ? dispatch(fd, &transfer) : receive(fd, &transfer);
}

ssize_t
kernel_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	return files_has(fd) ? transfer_at(fd, parts, count, offset, flags, false)
			     : real_preadv2(fd, parts, count, offset, flags);
}

ssize_t
kernel_pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	return files_has(fd) ? transfer_at(fd, parts, count, offset, flags, true)
			     : real_pwritev2(fd, parts, count, offset, flags);
}

ssize_t
kernel_preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (!files_has(fd))
		return real_preadv(fd, parts, count, offset);
	return offset >= 0 ? transfer_at(fd, parts, count, offset, 0, false) : failed(EINVAL);
}

ssize_t
kernel_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (!files_has(fd))
		return real_pwritev(fd, parts, count, offset);
	return offset >= 0 ? transfer_at(fd, parts, count, offset, 0, true) : failed(EINVAL);
}

off_t
kernel_lseek(int fd, off_t offset, int whence)
{
	struct file *file;

	if (!files_has(fd))
		return real_lseek(fd, offset, whence);
	file = files_get(fd);
	if (file == NULL)
		return -1;
	return file->kind->seek != NULL ? file->kind->seek(file, offset, whence) : failed(ESPIPE);
}

int
kernel_ftruncate(int fd, off_t length)
{
	struct file *file;

	if (!files_has(fd))
		return real_ftruncate(fd, length);
	door_begin();
	file = files_get(fd);
	if (file == NULL || door_fails(ERRNOS_TRUNCATE, file))
		return -1;
	return file->kind->truncate != NULL ? file->kind->truncate(file, length) : failed(EINVAL);
}

/* The world's files cannot be lost: it ends with its programs. */
int
kernel_fsync(int fd)
{
	struct file *file;

	if (!files_has(fd))
		return real_fsync(fd);
	door_begin();
	file = files_get(fd);
	if (file == NULL || door_fails(ERRNOS_SYNC, file))
		return -1;
	return file->kind->seek != NULL ? 0 : failed(EINVAL);
}

int
kernel_fdatasync(int fd)
{
	return files_has(fd) ? kernel_fsync(fd) : real_fdatasync(fd);
}

/* From a file, of the world or a real one, in one call. */
static ssize_t
send_file(int out, int in, off_t *offset, size_t count)
{
	static unsigned char bytes[COPY_SIZE];
	struct iovec part = {bytes, count < sizeof bytes ? count : sizeof bytes};
	off_t from = offset != NULL ? *offset : kernel_lseek(in, 0, SEEK_CUR);
	ssize_t got, sent;

	if (from == -1)
		return failed(EINVAL);
	got = kernel_preadv(in, &part, 1, from);
	if (got <= 0)
		return got;
	sent = kernel_write(out, bytes, (size_t)got);
	if (sent > 0 && offset != NULL)
		*offset += sent;
	else if (sent > 0)
		kernel_lseek(in, sent, SEEK_CUR);
	return sent;
}

/* The world's files do not support it. */
ssize_t
kernel_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t length, unsigned flags)
{
	if (files_has(in) || files_has(out))
		return failed(EINVAL);
	return real_splice(in, in_offset, out, out_offset, length, flags);
}

ssize_t
kernel_sendfile(int out, int in, off_t *offset, size_t count)
{
	ssize_t sent;

	if (!files_has(out) && !files_has(in))
		return real_sendfile(out, in, offset, count);
	fiber_preemption_point();
	fiber_preempt_disable();
	sent = send_file(out, in, offset, count);
	fiber_preempt_enable();
	return sent;
}
