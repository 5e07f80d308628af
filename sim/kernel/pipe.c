/* A pipe is a channel that takes no time, with a file at each end; an eventfd is a number. */
#include "sim/kernel/pipe_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/failed.h"
#include "sim/kernel/channel_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/world/world_priv.h"

#define CAPACITY ((size_t)64 * 1024)

/* ---- pipes ---- */

struct pipe_end {
	struct file file;        /* must be first */
	struct channel *channel; /* a reference */
	bool is_writer;
};

static const struct file_kind reader_kind, writer_kind;

static struct channel *
channel_of(const struct file *file)
{
	return ((const struct pipe_end *)(const void *)file)->channel;
}

static ssize_t
pipe_receive(struct file *file, struct transfer *transfer)
{
	struct channel *channel = channel_of(file);
	size_t got = channel_read(channel, transfer->parts, transfer->length, false);

	return got != 0 || channel->has_ended || transfer->length == 0 ? (ssize_t)got
								       : failed(EAGAIN);
}

static ssize_t
pipe_send(struct file *file, struct transfer *transfer)
{
	struct channel *channel = channel_of(file);
	size_t room = channel_room(channel);

	if (channel->is_cut)
		return failed(EPIPE);
	/* Up to PIPE_BUF bytes are written as a whole. */
	if (room == 0 || (transfer->length <= 4096 && room < transfer->length))
		return failed(EAGAIN);
	return (ssize_t)channel_write(channel, transfer->parts, transfer->length);
}

static short
reader_ready(const struct file *file)
{
	const struct channel *channel = channel_of(file);

	return (short)((channel->length != 0 ? POLLIN : 0) | (channel->has_ended ? POLLHUP : 0));
}

static short
writer_ready(const struct file *file)
{
	const struct channel *channel = channel_of(file);

	if (channel->is_cut)
		return POLLOUT | POLLERR;
	return channel_room(channel) >= 4096 ? POLLOUT : 0;
}

static void
pipe_close(struct file *file)
{
	struct pipe_end *end = (struct pipe_end *)(void *)file;

	if (end->is_writer) {
		channel_end(end->channel);
		end->channel->writer = NULL;
	} else {
		end->channel->reader = NULL;
		channel_cut(end->channel);
	}
	channel_release(end->channel);
	end->channel = NULL;
}

static const struct file_kind reader_kind = {.what = "pipe to read",
	.type = S_IFIFO,
	.receive = pipe_receive,
	.ready = reader_ready,
	.free = pipe_close};
static const struct file_kind writer_kind = {.what = "pipe to write",
	.type = S_IFIFO,
	.send = pipe_send,
	.ready = writer_ready,
	.free = pipe_close};

bool
pipe_new(struct file *ends[2])
{
	struct channel *channel = channel_new(CAPACITY, false);
	struct pipe_end *reader = calloc(1, sizeof *reader), *writer = calloc(1, sizeof *writer);

	if (channel == NULL || reader == NULL || writer == NULL) {
		channel_release(channel);
		free(reader);
		free(writer);
		return false;
	}
	file_init(&reader->file, &reader_kind, 0);
	file_init(&writer->file, &writer_kind, 0);
	writer->is_writer = true;
	reader->file.access = O_RDONLY;
	writer->file.access = O_WRONLY;
	channel->references = 2;
	channel->reader = &reader->file;
	channel->writer = &writer->file;
	reader->channel = writer->channel = channel;
	ends[0] = &reader->file;
	ends[1] = &writer->file;
	return true;
}

/* ---- eventfds ---- */

struct counter {
	struct file file; /* must be first */
	uint64_t count;
	bool is_semaphore;
};

static ssize_t
counter_receive(struct file *file, struct transfer *transfer)
{
	struct counter *counter = (struct counter *)(void *)file;
	uint64_t taken = counter->is_semaphore ? 1 : counter->count;

	if (transfer->length < sizeof taken)
		return failed(EINVAL);
	if (counter->count == 0)
		return failed(EAGAIN);
	counter->count -= taken;
	memcpy(transfer->parts[0].iov_base, &taken, sizeof taken);
	file_changed(file);
	return sizeof taken;
}

static ssize_t
counter_send(struct file *file, struct transfer *transfer)
{
	struct counter *counter = (struct counter *)(void *)file;
	uint64_t added;

	if (transfer->length < sizeof added)
		return failed(EINVAL);
	memcpy(&added, transfer->parts[0].iov_base, sizeof added);
	if (added == UINT64_MAX)
		return failed(EINVAL);
	if (added > UINT64_MAX - 1 - counter->count)
		return failed(EAGAIN);
	counter->count += added;
	file_changed(file);
	return sizeof added;
}

static short
counter_ready(const struct file *file)
{
	const struct counter *counter = (const struct counter *)(const void *)file;

	return (short)((counter->count != 0 ? POLLIN : 0) |
		       (counter->count < UINT64_MAX - 1 ? POLLOUT : 0));
}

static const struct file_kind counter_kind = {.what = "eventfd",
	.receive = counter_receive,
	.send = counter_send,
	.ready = counter_ready};

struct file *
counter_new(unsigned count, bool is_semaphore)
{
	struct counter *counter = calloc(1, sizeof *counter);

	if (counter == NULL)
		return NULL;
	file_init(&counter->file, &counter_kind, 0);
	counter->count = count;
	counter->is_semaphore = is_semaphore;
	return &counter->file;
}
