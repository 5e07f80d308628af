/* The calls that read from a stream. Each takes what it needs only when all of it is held. */
#include <errno.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/io/buffers_priv.h"
#include "hub/io/stream_priv.h"

/* Where the delimiter begins, searched from the byte `from` of those that are held; -1: nowhere. */
static ssize_t
find(const struct hub_stream *stream, const void *delimiter, size_t length, size_t from)
{
	const char *held = stream->input.buffer + stream->input.start;
	size_t count = stream_held(stream) - from;
	const char *found;

	if (stream_held(stream) <= from)
		return -1;
	found = length == 1 ? memchr(held + from, *(const char *)delimiter, count)
			    : memmem(held + from, count, delimiter, length);
	return found != NULL ? found - held : -1;
}

/* Receives until the delimiter has come. Returns where it begins, or -1 with errno of a reading
 * call; bytes before it may be longest and `spare` ones. */
static ssize_t
await(struct hub_stream *stream, const void *delimiter, size_t length, size_t spare)
{
	ssize_t at;

	while ((at = find(stream, delimiter, length, stream->input.searched)) < 0) {
		size_t held = stream_held(stream);
		int filled;

		stream->input.searched = held >= length ? held - length + 1 : 0;
		filled = stream_fill(stream, stream->longest + length + spare);
		if (filled == 0)
			stream_say_end(stream);
		if (filled <= 0) {
			at = -1;
			break;
		}
	}
	/* The next call may look for something else, also in a line that is too long. */
	stream->input.searched = 0;
	return at;
}

/* Consumes a line of `count` bytes and what is behind it, up to `whole`; a NUL takes the place of
 * the delimiter's first byte. */
static char *
take(struct hub_stream *stream, size_t count, size_t whole, size_t *length)
{
	char *line = stream->input.buffer + stream->input.start;

	DCHECK(count <= whole && stream_has(stream, whole));
	if (count > stream->longest) {
		errno = EMSGSIZE;
		return NULL;
	}
	stream_consume(stream, whole);
	line[count] = '\0';
	if (length != NULL)
		*length = count;
	return line;
}

char *
hub_stream_read_line(struct hub_stream *stream, size_t *length)
{
	ssize_t at = stream_begin_read(stream) ? await(stream, "\n", 1, 1) : -1;
	size_t count = (size_t)at;

	if (at < 0)
		return NULL;
	if (count > 0 && stream->input.buffer[stream->input.start + count - 1] == '\r')
		count--;
	return take(stream, count, (size_t)at + 1, length);
}

char *
hub_stream_read_until(
	struct hub_stream *stream, const void *delimiter, size_t delimiter_length, size_t *length)
{
	ssize_t at;

	if (delimiter_length == 0) {
		errno = EINVAL;
		return NULL;
	}
	at = stream_begin_read(stream) ? await(stream, delimiter, delimiter_length, 0) : -1;
	return at >= 0 ? take(stream, (size_t)at, (size_t)at + delimiter_length, length) : NULL;
}

/* Fills the stream until it holds count bytes. */
static bool
have(struct hub_stream *stream, size_t count)
{
	if (!stream_begin_read(stream))
		return false;
	if (count > stream->longest) {
		errno = EMSGSIZE;
		return false;
	}
	return stream_have(stream, count) == 1;
}

char *
hub_stream_read_exactly(struct hub_stream *stream, size_t count)
{
	return have(stream, count) ? stream_view(stream, count) : NULL;
}

char *
hub_stream_read_some(struct hub_stream *stream, size_t most, size_t *length)
{
	if (!have(stream, 1))
		return NULL;
	if (most > stream_held(stream))
		most = stream_held(stream);
	if (length != NULL)
		*length = most;
	return stream_view(stream, most);
}

char *
hub_stream_peek(struct hub_stream *stream, size_t least, size_t *length)
{
	if (!have(stream, least > 0 ? least : 1))
		return NULL;
	if (length != NULL)
		*length = stream_held(stream);
	/* The buffer has room for it behind its last byte. */
	stream->input.buffer[stream->input.end] = '\0';
	return stream->input.buffer + stream->input.start;
}

/* Consumes bytes that are held, at most count, and copies them unless room is NULL. */
static size_t
take_held(struct hub_stream *stream, char *room, size_t count)
{
	size_t taken = stream_held(stream) < count ? stream_held(stream) : count;

	if (taken > 0 && room != NULL)
		memcpy(room, stream->input.buffer + stream->input.start, taken);
	stream_consume(stream, taken);
	return taken;
}

/* Receives into the caller's memory, past the buffer. */
static ssize_t
receive_directly(struct hub_stream *stream, char *room, size_t length)
{
	ssize_t got;

	DCHECK(!stream->input.is_read);
	stream_drop_buffer(stream);
	stream->input.is_read = true;
	got = stream->kind->receive(stream, room, length);
	stream->input.is_read = false;
	return got;
}

/* What a call returns that the end of the input, or an error, has ended after it had read done
 * bytes: got is 0 or -1. */
static ssize_t
ended_after(struct hub_stream *stream, size_t done, ssize_t got)
{
	if (done == 0)
		return got;
	if (got < 0)
		stream_leave_error(stream);
	return (ssize_t)done;
}

ssize_t
hub_stream_read(struct hub_stream *stream, void *buffer, size_t length)
{
	size_t done;

	if (!stream_begin_read(stream))
		return -1;
	done = take_held(stream, buffer, length);
	while (done < length) {
		char *room = (char *)buffer + done;
		size_t left = length - done;
		ssize_t got = left >= BUFFER_SIZE ? receive_directly(stream, room, left)
						  : stream_fill(stream, stream->longest);

		if (got <= 0)
			return ended_after(stream, done, got);
		done += left >= BUFFER_SIZE ? (size_t)got : take_held(stream, room, left);
	}
	return (ssize_t)done;
}

ssize_t
hub_stream_skip(struct hub_stream *stream, size_t count)
{
	size_t done;

	if (!stream_begin_read(stream))
		return -1;
	done = take_held(stream, NULL, count);
	while (done < count) {
		int filled = stream_fill(stream, stream->longest);

		if (filled <= 0)
			return ended_after(stream, done, filled);
		done += take_held(stream, NULL, count - done);
	}
	return (ssize_t)done;
}
