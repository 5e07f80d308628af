#include "hub/io/file_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "hub/io/fd_priv.h"
#include "hub/thread/offload.h"

/* A call for another thread, with its answer and errno. */
struct call {
	ssize_t (*run)(const struct call *call);
	int fd;
	const char *path;
	const struct iovec *parts;
	int count; /* of the parts, or flags of open */
	mode_t mode;
	off_t offset;
	ssize_t answer;
	int error;
};

static void *
run_call(void *argument)
{
	struct call *call = argument;

	do {
		call->answer = call->run(call);
		call->error = errno;
	} while (call->answer == -1 && call->error == EINTR);
	return NULL;
}

static ssize_t
offload(struct call *call)
{
	if (hub_offload(run_call, call, NULL) != 0)
		return -1;
	errno = call->error;
	return call->answer;
}

static ssize_t
run_open(const struct call *call)
{
	return open(call->path, call->count | O_CLOEXEC, call->mode);
}

static ssize_t
run_preadv(const struct call *call)
{
	return preadv(call->fd, call->parts, call->count, call->offset);
}

static ssize_t
run_readv(const struct call *call)
{
	return readv(call->fd, call->parts, call->count);
}

static ssize_t
run_pwritev(const struct call *call)
{
	return pwritev(call->fd, call->parts, call->count, call->offset);
}

static ssize_t
run_writev(const struct call *call)
{
	return writev(call->fd, call->parts, call->count);
}

static ssize_t
run_fsync(const struct call *call)
{
	return fsync(call->fd);
}

static ssize_t
run_fdatasync(const struct call *call)
{
	return fdatasync(call->fd);
}

int
hub_open(const char *path, int flags, mode_t mode)
{
	struct call call = {.run = run_open, .path = path, .count = flags, .mode = mode};

	return (int)offload(&call);
}

/* From the cache, without waiting; offset -1 is the file's own. Returns -1 where that cannot be: other errors
 * are found again by the call that may wait. */
static ssize_t
read_cached(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (hub_enter() == NULL)
		return -1;
	return preadv2(fd, parts, count, offset, RWF_NOWAIT);
}

ssize_t
hub_pread(int fd, void *buffer, size_t length, off_t offset)
{
	struct iovec part = {buffer, length};
	struct call call = {
		.run = run_preadv, .fd = fd, .parts = &part, .count = 1, .offset = offset};
	ssize_t got = offset >= 0 ? read_cached(fd, &part, 1, offset) : -1;

	/* A part may be all that is cached. */
	return got == (ssize_t)length ? got : offload(&call);
}

ssize_t
file_readv(int fd, const struct iovec *parts, int count)
{
	struct call call = {.run = run_readv, .fd = fd, .parts = parts, .count = count};
	ssize_t got = read_cached(fd, parts, count, -1);

	return got > 0 ? got : offload(&call);
}

ssize_t
file_writev(int fd, const struct iovec *parts, int count)
{
	struct call call = {.run = run_writev, .fd = fd, .parts = parts, .count = count};

	return offload(&call);
}

ssize_t
hub_pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
	struct iovec part = {(void *)(uintptr_t)buffer, length};
	struct call call = {
		.run = run_pwritev, .fd = fd, .parts = &part, .count = 1, .offset = offset};

	return offload(&call);
}

int
hub_fsync(int fd)
{
	struct call call = {.run = run_fsync, .fd = fd};

	return (int)offload(&call);
}

int
hub_fdatasync(int fd)
{
	struct call call = {.run = run_fdatasync, .fd = fd};

	return (int)offload(&call);
}

ssize_t
hub_sendfile(int out, int in, off_t *offset, size_t count)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;
	uint32_t generation;
	size_t done = 0;

	if (self == NULL)
		return -1;
	entry = fd_lookup(self->hub, out);
	if (entry == NULL)
		return -1;
	generation = entry->generation;
	while (done < count) {
		ssize_t sent = sendfile(out, in, offset, count - done);

		if (sent == 0)
			break;
		if (sent > 0) {
			done += (size_t)sent;
			if (hub_tick(self->hub) &&
				(hub_sleep(0) != 0 || entry->generation != generation))
				return (ssize_t)done;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || fd_wait_write(entry, "sendfile") != 0)
			return done > 0 ? (ssize_t)done : -1;
	}
	return (ssize_t)done;
}
