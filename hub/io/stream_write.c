/* The calls that write to a stream. Bytes are appended to the buffer unless they do not fit, or
 * another coroutine sends. While one sends, the bytes of its call must stay together and the buffer
 * must not move, so all others wait for their turn. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/io/buffers_priv.h"
#include "hub/io/socket.h"
#include "hub/io/stream_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/waiters_priv.h"

static size_t
unsent(const struct stream_output *output)
{
	return output->end - output->start;
}

static bool
output_is_consistent(const struct stream_output *output)
{
	return output->start <= output->end && output->end <= output->size &&
	       (output->buffer != NULL) == (output->size != 0);
}

static bool
is_memory(const struct hub_stream *stream)
{
	return stream->kind->send == NULL;
}

/* Bytes at the front of what was to be sent have been. */
static void
mark_sent(struct hub_stream *stream, size_t count)
{
	struct stream_output *output = &stream->output;

	DCHECK(output_is_consistent(output) && output->end - output->start >= count);
	output->start += count;
	if (output->start < output->end)
		return;
	buffer_give(stream->hub, output->buffer);
	output->buffer = NULL;
	output->start = output->end = output->size = 0;
}

/* Sends what is held, by the coroutine whose turn it is. Returns 0, or -1 and errno. */
static int
send_held(struct hub_stream *stream)
{
	struct stream_output *output = &stream->output;

	DCHECK(output_is_consistent(output) && output->turn.owner != NULL);
	while (unsent(output) > 0) {
		struct iovec part = {output->buffer + output->start, unsent(output)};
		ssize_t sent = stream->kind->send(stream, &part, 1);

		if (sent < 0)
			return -1;
		mark_sent(stream, (size_t)sent);
	}
	return 0;
}

int
stream_begin_turn(struct hub_stream *stream)
{
	return hub_lock_acquire(&stream->output.turn);
}

void
stream_end_turn(struct hub_stream *stream)
{
	struct stream_output *output = &stream->output;
	int error = errno;

	/* A killed coroutine cannot send any more: those that are due do it themselves. */
	if (output->due != NULL && output->turn.depth == 1 && stream_is_unsent(stream) &&
		send_held(stream) != 0)
		waiters_wake_all(&output->due, STREAM_STILL_UNSENT);
	hub_lock_release(&output->turn);
	errno = error;
}

int
stream_send(struct hub_stream *stream)
{
	int result;

	if (is_memory(stream) || unsent(&stream->output) == 0)
		return 0;
	if (stream_begin_turn(stream) != 0)
		return -1;
	result = send_held(stream);
	stream_end_turn(stream);
	return result;
}

int
hub_stream_flush(struct hub_stream *stream)
{
	return stream_enter(stream) ? stream_send(stream) : -1;
}

/* ---- appending ---- */

/* Makes room for length bytes over memory, where all that is written is kept, up to the limit. */
static bool
has_memory(struct stream_output *output, size_t length)
{
	size_t size = output->size != 0 ? output->size : BUFFER_SIZE;
	char *buffer;

	output->is_over |= output->most != 0 && length > output->most - output->end;
	if (output->is_over) {
		errno = EMSGSIZE;
		return false;
	}
	if (output->size - output->end >= length)
		return true;
	while (size - output->end < length)
		size *= 2;
	/* The hub's size is the hub's. */
	buffer = realloc(output->buffer, size == BUFFER_SIZE ? ++size : size);
	if (buffer == NULL)
		return false;
	output->buffer = buffer;
	output->size = size;
	return true;
}

/* Makes room for length bytes, in the one buffer of a stream that is not over memory. Returns false
 * if there is no room, or with errno ENOMEM (no memory) or EMSGSIZE. */
static bool
has_room(struct hub_stream *stream, size_t length)
{
	struct stream_output *output = &stream->output;

	errno = 0;
	if (is_memory(stream))
		return has_memory(output, length);
	if (output->size - output->end >= length)
		return true;
	if (output->buffer != NULL || length > BUFFER_SIZE)
		return false;
	output->buffer = buffer_take(stream->hub);
	output->size = output->buffer != NULL ? BUFFER_SIZE : 0;
	return output->buffer != NULL;
}

static void
append(struct hub_stream *stream, const struct iovec *parts, int count)
{
	struct stream_output *output = &stream->output;

	for (int i = 0; i < count; i++) {
		if (parts[i].iov_len > 0)
			memcpy(output->buffer + output->end, parts[i].iov_base, parts[i].iov_len);
		output->end += parts[i].iov_len;
	}
	DCHECK(output_is_consistent(output));
}

/* Whether no coroutine sends, so that bytes may be appended without waiting. */
static bool
is_free(const struct hub_stream *stream)
{
	return stream->output.turn.owner == NULL;
}

/* ---- sending ---- */

/* Takes count bytes off the front of the parts. */
static void
advance(struct iovec *parts, int count, size_t bytes)
{
	for (int i = 0; i < count && bytes > 0; i++) {
		size_t taken = parts[i].iov_len < bytes ? parts[i].iov_len : bytes;

		parts[i].iov_base = (char *)parts[i].iov_base + taken;
		parts[i].iov_len -= taken;
		bytes -= taken;
	}
}

/* Sends what is held, and the parts behind it, without copying them. Returns how many bytes of the
 * parts were sent, or -1 and errno. */
static ssize_t
send_through(struct hub_stream *stream, const struct iovec *parts, int count, size_t total)
{
	struct stream_output *output = &stream->output;
	struct iovec all[STREAM_PARTS + 1];
	size_t done = 0;

	DCHECK(count <= STREAM_PARTS && output->turn.owner != NULL);
	memcpy(all + 1, parts, (size_t)count * sizeof *parts);
	while (done < total) {
		size_t held = unsent(output), sent_held;
		ssize_t sent;

		all[0] = (struct iovec){held > 0 ? output->buffer + output->start : NULL, held};
		sent = held > 0 ? stream->kind->send(stream, all, count + 1)
				: stream->kind->send(stream, all + 1, count);
		if (sent < 0 && done > 0)
			stream_leave_error(stream);
		if (sent < 0)
			return done > 0 ? (ssize_t)done : -1;
		DCHECK(sent > 0 && (size_t)sent <= held + total - done);
		sent_held = (size_t)sent < held ? (size_t)sent : held;
		if (sent_held > 0)
			mark_sent(stream, sent_held);
		advance(all + 1, count, (size_t)sent - sent_held);
		done += (size_t)sent - sent_held;
	}
	return (ssize_t)done;
}

/* Appends or sends, by the coroutine whose turn it is. */
static ssize_t
write_in_turn(struct hub_stream *stream, const struct iovec *parts, int count, size_t total)
{
	while (!has_room(stream, total)) {
		if (errno != 0)
			return -1;
		if (total > BUFFER_SIZE)
			return send_through(stream, parts, count, total);
		if (send_held(stream) != 0)
			return -1;
	}
	append(stream, parts, count);
	return (ssize_t)total;
}

ssize_t
stream_write_parts(struct hub_stream *stream, const struct iovec *parts, int count)
{
	size_t total = 0;
	ssize_t written;

	DCHECK(count <= STREAM_PARTS);
	for (int i = 0; i < count; i++)
		total += parts[i].iov_len;
	if (!stream_enter(stream))
		return -1;
	CHECK_WHY(stream->hub == hub_this, "a stream is written in another thread than its own");
	if (is_free(stream) && has_room(stream, total)) {
		append(stream, parts, count);
		return (ssize_t)total;
	}
	if (stream_begin_turn(stream) != 0)
		return -1;
	written = write_in_turn(stream, parts, count, total);
	stream_end_turn(stream);
	return written;
}

ssize_t
stream_write_now(struct hub_stream *stream, const void *bytes, size_t length)
{
	struct iovec part = {(void *)(uintptr_t)bytes, length};
	ssize_t written;

	if (is_memory(stream))
		return stream_write_parts(stream, &part, 1);
	if (!stream_enter(stream))
		return -1;
	CHECK_WHY(stream->hub == hub_this, "a stream is written in another thread than its own");
	if (stream_begin_turn(stream) != 0)
		return -1;
	written = send_through(stream, &part, 1, length);
	stream_end_turn(stream);
	return written;
}

int
stream_write_whole(struct hub_stream *stream, const struct iovec *parts, int count)
{
	struct iovec left[STREAM_PARTS];
	ssize_t written = 0;
	size_t total = 0;

	for (int i = 0; i < count; i++)
		total += parts[i].iov_len;
	memcpy(left, parts, (size_t)count * sizeof *parts);
	if (stream_begin_turn(stream) != 0)
		return -1;
	while (total > 0 && (written = stream_write_parts(stream, left, count)) >= 0) {
		advance(left, count, (size_t)written);
		total -= (size_t)written;
	}
	stream_end_turn(stream);
	return written < 0 ? -1 : 0;
}

/* ---- the calls ---- */

ssize_t
hub_stream_write(struct hub_stream *stream, const void *bytes, size_t length)
{
	struct iovec part = {(void *)(uintptr_t)bytes, length};

	return stream_write_parts(stream, &part, 1);
}

ssize_t
hub_stream_vprintf(struct hub_stream *stream, const char *format, va_list arguments)
{
	char small[256], *text = small;
	va_list again;
	ssize_t written = -1;
	int length, error;

	va_copy(again, arguments);
	length = vsnprintf(small, sizeof small, format, arguments);
	if (length >= (int)sizeof small) {
		text = malloc((size_t)length + 1);
		length = text != NULL ? vsnprintf(text, (size_t)length + 1, format, again) : -1;
	}
	va_end(again);
	if (length >= 0)
		written = hub_stream_write(stream, text, (size_t)length);
	error = errno;
	if (text != small)
		free(text);
	errno = error;
	return written;
}

ssize_t
hub_stream_printf(struct hub_stream *stream, const char *format, ...)
{
	va_list arguments;
	ssize_t written;

	va_start(arguments, format);
	written = hub_stream_vprintf(stream, format, arguments);
	va_end(arguments);
	return written;
}

void
hub_stream_cork(struct hub_stream *stream, bool is_corked)
{
	stream->output.is_corked = is_corked;
}

size_t
hub_stream_unsent(const struct hub_stream *stream)
{
	return is_memory(stream) ? 0 : unsent(&stream->output);
}

const char *
hub_stream_output(const struct hub_stream *stream, size_t *length)
{
	if (length != NULL)
		*length = is_memory(stream) ? unsent(&stream->output) : 0;
	if (!is_memory(stream))
		return NULL;
	return stream->output.buffer != NULL ? stream->output.buffer : &stream->nothing;
}
