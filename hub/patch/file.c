/* Reading and writing files at an offset, and sendfile. What is in the kernel's cache is read at
 * once; everything else another thread does, since poll(2) cannot wait for a file. */
#include <fcntl.h>
#include <hubbub/io/fd.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/io/traffic.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/transfer_priv.h"

/* ---- at an offset ---- */

/* Flags that have a meaning for files alone. */
#define OF_FILES (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND)

/* At offset -1, the file's own: whether the call is the same as one without flags. */
static bool
is_plain(int fd, int flags)
{
	return flags == 0 || ((flags & ~OF_FILES) == 0 && !descriptor_is_file(fd));
}

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

	if (offset == -1 && is_plain(fd, flags))
		return patch_readv(fd, parts, count);
	/* At the file's own offset a second attempt would go on behind the first one: so there is
	 * only one. */
	if (offset == -1 && !(flags & RWF_NOWAIT))
		return file_offload(&c);
	result = kernel_preadv2(fd, parts, count, offset, flags | RWF_NOWAIT);
	/* Done if all of it was cached, or at the end of the file (0). A shorter result may only be
	 * what was cached. */
	if ((result >= 0 &&
		    (result == 0 || (size_t)result == parts_length(parts, (size_t)count))) ||
		(flags & RWF_NOWAIT)) {
		if (offset == -1 && result > 0)
			traffic_received(fd, (size_t)result);
		return result;
	}
	return file_offload(&c);
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
	ssize_t result;

	if (offset == -1 && is_plain(fd, flags))
		return patch_writev(fd, parts, count);
	if (offset != -1 || !(flags & RWF_NOWAIT))
		return file_offload(&c);
	result = kernel_pwritev2(fd, parts, count, offset, flags);
	if (result > 0)
		traffic_sent(fd, (size_t)result);
	return result;
}

/* To preadv and pwritev -1 is no offset; to preadv2 and pwritev2 it is the file's own. Returns
 * false with errno EINVAL. */
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

/* The two descriptors of a sendfile, and their generations when it began. */
struct two {
	int out, in;
	uint32_t out_generation, in_generation;
};

/* Reads a chunk at *offset; without an offset at the file's own, which other calls of the
 * application may move meanwhile. Returns its length, 0 or -1. */
static ssize_t
read_chunk(int in, void *chunk, size_t length, off_t *offset)
{
	return offset != NULL ? patch_pread(in, chunk, length, *offset)
			      : patch_read(in, chunk, length);
}

/* Sends the chunk, unless `out` was closed while it was read; moves the file's own offset back over
 * what was not sent, unless `in` was closed. Returns how many bytes were sent, or -1. */
static ssize_t
send_chunk(const struct two *two, const char *chunk, ssize_t got, off_t *offset)
{
	ssize_t sent = -1;

	errno = EBADF;
	if (generation_of(two->out) == two->out_generation)
		sent = patch_write(two->out, chunk, (size_t)got);
	if (sent > 0 && offset != NULL)
		*offset += sent;
	if (sent < got && offset == NULL && generation_of(two->in) == two->in_generation) {
		int error = errno;

		lseek(two->in, (sent > 0 ? sent : 0) - got, SEEK_CUR);
		errno = error;
	}
	return sent;
}

/* sendfile(2) has no form that does not wait, except to descriptors that are non-blocking: so the
 * file is read and sent in chunks. */
ssize_t
patch_sendfile(int out, int in, off_t *offset, size_t count)
{
	const struct two two = {out, in, generation_of(out), generation_of(in)};
	int mode = kernel_fcntl(out, F_GETFL, 0);
	size_t done = 0;
	ssize_t sent = 0;
	char *chunk;

	/* The kernel does not wait in these cases, or reports what is wrong. */
	if (mode == -1 || (mode & O_ACCMODE) == O_RDONLY || (mode & O_APPEND) ||
		descriptor_is_nonblocking(out) || !descriptor_is_file(in)) {
		sent = REAL(sendfile)(out, in, offset, count);
		if (sent > 0)
			traffic_sent(out, (size_t)sent);
		return sent;
	}
	chunk = malloc(CHUNK);
	if (chunk == NULL)
		return -1;
	while (done < count) {
		size_t most = count - done < CHUNK ? count - done : CHUNK;
		ssize_t got = -1;

		errno = EBADF;
		if (generation_of(in) == two.in_generation)
			got = read_chunk(in, chunk, most, offset);
		sent = got > 0 ? send_chunk(&two, chunk, got, offset) : got;
		if (sent > 0)
			done += (size_t)sent;
		if (sent <= 0 || sent < got)
			break;
	}
	free(chunk);
	return done > 0 || sent >= 0 ? (ssize_t)done : -1;
}
