/* What streams are over, descriptors and memory, and how long they live. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/room.h"
#include "hub/io/buffers_priv.h"
#include "hub/io/fd_priv.h"
#include "hub/io/receive_priv.h"
#include "hub/io/socket.h"
#include "hub/io/stream_priv.h"
#include "hub/io/wait_priv.h"
#include "hub/waiters_priv.h"

#define LONGEST_DEFAULT ((size_t)64 * 1024)
#define LONGEST_MOST ((size_t)1 << 30)

/* ---- over a descriptor ---- */

static ssize_t
receive_by(struct hub_stream *stream, char *room, size_t length, int flags)
{
	ssize_t got;

	if (room == NULL) {
		got = fd_receive_late(stream->fd, flags, &stream->input.buffer);
		stream->input.size = BUFFER_SIZE - 1;
		return got;
	}
	return flags != 0 ? hub_recv(stream->fd, room, length, flags)
			  : hub_read(stream->fd, room, length);
}

/* Whether it is so of the stream, or of the one that it is copied to: the peers of both may wait
 * for what is held there before they send. */
static bool
either_is(const struct hub_stream *stream, bool is_so(const struct hub_stream *stream))
{
	return is_so(stream) || (stream->copied_to != NULL && is_so(stream->copied_to));
}

static bool
is_unsent(const struct hub_stream *stream)
{
	return stream_is_unsent(stream);
}

static bool
is_sent_by_another(const struct hub_stream *stream)
{
	return stream_is_unsent(stream) && stream->output.turn.owner != NULL;
}

/* Sends what is held, unless another coroutine does: its peer may wait for this one to receive. */
static int
send_before_wait(struct hub_stream *stream)
{
	struct hub_stream *target = stream->copied_to;

	if (stream_is_unsent(stream) && !is_sent_by_another(stream) && stream_send(stream) != 0)
		return -1;
	if (target == NULL || !stream_is_unsent(target) || is_sent_by_another(target))
		return 0;
	return stream_send(target);
}

/* Receives without waiting. Returns -1 with errno EAGAIN if nothing is there. */
static ssize_t
look(struct hub_stream *stream, const struct hub_fd *entry, char *room, size_t length)
{
	if (entry->is_stream)
		return receive_by(stream, room, length, MSG_DONTWAIT);
	if (entry->input_has_ended || fd_poll_now(stream->fd, POLLIN) != 0)
		return receive_by(stream, room, length, 0);
	return failed(EAGAIN);
}

/* Waits for input, or until the coroutine that sends what is held has failed. Neither, if one of
 * them has come already. */
static int
wait_while_another_sends(struct hub_stream *stream)
{
	struct hub_stream *both[] = {stream, stream->copied_to};
	struct hub_fd *entry = stream_entry(stream);
	struct hub_waiter waiters[2] = {0};
	int result;

	if (entry == NULL)
		return -1;
	/* The other stream was sent meanwhile. */
	if (fd_input_has_ended(entry) || !either_is(stream, is_sent_by_another))
		return 0;
	for (int i = 0; i < 2; i++)
		if (both[i] != NULL && is_sent_by_another(both[i]))
			waiter_enter(&both[i]->output.due, &waiters[i], hub_this->current);
	result = fd_wait_read(entry, "recv");
	for (int i = 0; i < 2; i++)
		if (both[i] != NULL)
			waiter_leave(&both[i]->output.due, &waiters[i]);
	return result != 0 && errno != STREAM_STILL_UNSENT ? -1 : 0;
}

/* Before it waits, it sends. If more may be there, it looks first: the answers to all requests that
 * have come leave together. */
static ssize_t
receive_from_fd(struct hub_stream *stream, char *room, size_t length)
{
	struct hub_fd *entry = stream_entry(stream);
	ssize_t got;

	DCHECK(room == NULL || length > 0);
	if (entry != NULL)
		fd_note_part(entry, stream_has(stream, 1));
	for (; entry != NULL && either_is(stream, is_unsent); entry = stream_entry(stream)) {
		bool is_due;

		/* A look lets no other coroutine run, however often it finds something. */
		if (!fd_take_turns(entry))
			return -1;
		is_due = either_is(stream, is_sent_by_another);
		got = is_due || (entry->is_stream && !fd_is_drained(entry))
			      ? look(stream, entry, room, length)
			      : failed(EAGAIN);
		if (got >= 0 || errno != EAGAIN)
			return got;
		if (send_before_wait(stream) != 0 ||
			(is_due && wait_while_another_sends(stream) != 0))
			return -1;
	}
	return entry != NULL ? receive_by(stream, room, length, 0) : -1;
}

static ssize_t
send_to_fd(struct hub_stream *stream, const struct iovec *parts, int count)
{
	return stream_entry(stream) != NULL ? hub_writev(stream->fd, parts, count) : -1;
}

static const struct stream_kind descriptor = {receive_from_fd, send_to_fd};

/* ---- over memory ---- */

static ssize_t
receive_from_memory(struct hub_stream *stream, char *room, size_t length)
{
	DCHECK(room == NULL || length > 0);
	if (stream->memory_left == 0)
		return 0;
	if (room == NULL) {
		room = stream->input.buffer = buffer_take(stream->hub);
		if (room == NULL)
			return -1;
		length = stream->input.size = BUFFER_SIZE - 1;
	}
	if (length > stream->memory_left)
		length = stream->memory_left;
	memcpy(room, stream->memory, length);
	stream->memory += length;
	stream->memory_left -= length;
	return (ssize_t)length;
}

/* What is written to memory is only held. */
static const struct stream_kind memory = {receive_from_memory, NULL};

/* ---- its life ---- */

static struct hub_stream *
new_stream(const struct stream_kind *kind, const struct hub_stream_options *options)
{
	struct hub_stream *stream;

	if (options != NULL && !ROOM_IS_EMPTY(options))
		return NULL;
	if (options != NULL && options->longest > LONGEST_MOST) {
		errno = EINVAL;
		return NULL;
	}
	if (hub_running == NULL || hub_current() == NULL) {
		errno = EPERM;
		return NULL;
	}
	stream = calloc(1, sizeof *stream);
	if (stream == NULL)
		return NULL;
	stream->kind = kind;
	stream->hub = hub_this;
	stream->fd = -1;
	stream->output.most = options != NULL ? options->most : 0;
	stream->longest =
		options != NULL && options->longest != 0 ? options->longest : LONGEST_DEFAULT;
	return stream;
}

struct hub_stream *
hub_stream_new(int fd, const struct hub_stream_options *options)
{
	struct hub_stream *stream = new_stream(&descriptor, options);
	struct hub_fd *entry = stream != NULL ? fd_lookup(stream->hub, fd) : NULL;

	/* The hub may know a file that the number no longer refers to. */
	if (entry == NULL || !fd_renew(entry)) {
		free(stream);
		return NULL;
	}
	stream->fd = fd;
	stream->generation = entry->generation;
	DCHECK(stream->generation != 0 && entry->is_adopted);
	return stream;
}

struct hub_stream *
hub_stream_new_memory(const void *bytes, size_t length, const struct hub_stream_options *options)
{
	struct hub_stream *stream = new_stream(&memory, options);

	if (stream != NULL) {
		stream->memory = bytes;
		stream->memory_left = length;
	}
	return stream;
}

void
hub_stream_free(struct hub_stream *stream)
{
	int error = errno;

	if (stream == NULL)
		return;
	/* A child that was forked has no hub. */
	CHECK_WHY(stream->hub == hub_this || stream->hub->is_abandoned,
		"a stream is freed in another thread than its own");
	CHECK_WHY(!stream->input.is_read && stream->output.turn.owner == NULL,
		"a stream is freed while a coroutine is in a call on it");
	stream_end_part(stream);
	stream_give_back(stream, &stream->input.buffer, stream->input.size + 1);
	stream_give_back(stream, &stream->output.buffer, stream->output.size);
	free(stream);
	errno = error;
}

int
hub_stream_close(struct hub_stream *stream)
{
	int result;

	if (stream == NULL)
		return 0;
	result = hub_stream_unsent(stream) > 0 ? hub_stream_flush(stream) : 0;
	hub_stream_free(stream);
	return result;
}
