/* Calls on regular files run on an offload thread, except for reads that the page cache answers at
 * once (RWF_NOWAIT). The offloaded call uses a duplicate fd, owned by the call, so a close(2) of
 * the caller's fd meanwhile does no harm. The caller may be killed at any time before the thread
 * begins, and waits for the thread after that. */
#include "hub/io/file_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"
#include "hub/thread/offload.h"

/* A call for an offload thread, with its answer and errno. Lies on the caller's stack. */
struct call {
	ssize_t (*run)(const struct call *call);
	int fd;
	const char *path;
	const struct iovec *parts;
	int count; /* of parts; for open its flags */
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
	int result = hub_offload(run_call, call, NULL);

	if (result != 0)
		return -1;
	/* A call that has failed left its reason in the thread that ran it. */
	CHECK(call->answer != -1 || call->error != 0);
	errno = call->error;
	return call->answer;
}

/* Offloads the call on a duplicate: before its turn comes, the fd may be closed and reused. */
static ssize_t
offload_fd(struct call *call)
{
	ssize_t answer;
	int error;

	call->fd = kernel_fcntl(call->fd, F_DUPFD_CLOEXEC, 0);
	if (call->fd == -1)
		return -1;
	answer = offload(call);
	error = errno;
	kernel_close(call->fd);
	errno = error;
	return answer;
}

static ssize_t
run_open(const struct call *call)
{
	return kernel_open(call->path, call->count | O_CLOEXEC, call->mode);
}

static ssize_t
run_preadv(const struct call *call)
{
	return kernel_preadv(call->fd, call->parts, call->count, call->offset);
}

static ssize_t
run_readv(const struct call *call)
{
	return kernel_readv(call->fd, call->parts, call->count);
}

static ssize_t
run_pwritev(const struct call *call)
{
	return kernel_pwritev(call->fd, call->parts, call->count, call->offset);
}

static ssize_t
run_writev(const struct call *call)
{
	return kernel_writev(call->fd, call->parts, call->count);
}

static ssize_t
run_fsync(const struct call *call)
{
	return kernel_fsync(call->fd);
}

static ssize_t
run_fdatasync(const struct call *call)
{
	return kernel_fdatasync(call->fd);
}

int
hub_open(const char *path, int flags, mode_t mode)
{
	struct call call = {.run = run_open, .path = path, .count = flags, .mode = mode};
	int fd = (int)offload(&call);

	/* The hub may still know the fd as a file that was closed behind its back: adopt it
	 * anew. */
	if (fd >= 0 && hub_this != NULL && hub_this->loop != NULL && hub_adopt(fd) != 0) {
		kernel_close(fd);
		return failed(ENOMEM);
	}
	return fd;
}

/* Reads from the page cache, without waiting; offset -1 means the file's own offset. Returns -1 if
 * that fails for any reason, or if the loop is due: the offloaded call follows, during which other
 * coroutines run, and reports lasting errors. */
static ssize_t
read_cached(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (hub_enter() == NULL || hub_tick(hub_this))
		return -1;
	return kernel_preadv2(fd, parts, count, offset, RWF_NOWAIT);
}

ssize_t
hub_pread(int fd, void *buffer, size_t length, off_t offset)
{
	struct iovec part = {buffer, length};
	struct call call = {
		.run = run_preadv, .fd = fd, .parts = &part, .count = 1, .offset = offset};
	ssize_t got = offset >= 0 ? read_cached(fd, &part, 1, offset) : -1;

	/* A short read may mean that only a part is in the cache. */
	return got == (ssize_t)length ? got : offload_fd(&call);
}

ssize_t
file_readv(int fd, const struct iovec *parts, int count)
{
	struct call call = {.run = run_readv, .fd = fd, .parts = parts, .count = count};
	ssize_t got = read_cached(fd, parts, count, -1);

	return got > 0 ? got : offload_fd(&call);
}

ssize_t
file_writev(int fd, const struct iovec *parts, int count)
{
	struct call call = {.run = run_writev, .fd = fd, .parts = parts, .count = count};

	return offload_fd(&call);
}

ssize_t
hub_pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
	struct iovec part = {(void *)(uintptr_t)buffer, length};
	struct call call = {
		.run = run_pwritev, .fd = fd, .parts = &part, .count = 1, .offset = offset};

	return offload_fd(&call);
}

int
hub_fsync(int fd)
{
	struct call call = {.run = run_fsync, .fd = fd};

	return (int)offload_fd(&call);
}

int
hub_fdatasync(int fd)
{
	struct call call = {.run = run_fdatasync, .fd = fd};

	return (int)offload_fd(&call);
}
