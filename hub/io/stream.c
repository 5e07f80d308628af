/* What all parts of a stream need: its descriptor's entry, its input's buffer, and what calls take
 * from that. A stream takes a buffer once bytes are there, so it waits without one; a buffer of the
 * hub's is exchanged for a larger one of its own when a line or a frame is longer. */
#include "hub/io/stream_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/io/buffers_priv.h"
#include "hub/io/fd_priv.h"
#include "hub/scheduler_priv.h"

/* Whether what is held lies in the buffer, and the NUL behind the last view, too. */
static bool
input_is_consistent(const struct stream_input *input)
{
	if (input->buffer == NULL)
		return input->start == input->end && input->stop == NULL;
	return input->start <= input->end && input->end <= input->size &&
	       input->searched <= input->end - input->start &&
	       (input->stop == NULL ||
		       (input->stop >= input->buffer && input->stop <= input->buffer + input->end));
}

/* Another file that has the number is not entered only to be refused. */
static struct fd_hold
hold_of(const struct hub_stream *stream)
{
	const struct hub *hub = stream->hub;
	bool is_known = stream->fd != -1 && (unsigned)stream->fd < hub->fds.size;

	return (struct fd_hold){is_known ? fd_entry(hub, stream->fd) : NULL, stream->generation};
}

struct hub_fd *
stream_entry(const struct hub_stream *stream)
{
	struct fd_hold hold = hold_of(stream);

	/* Bytes that were meant for TLS, or for a file, must not go to what has the number now,
	 * which the kernel alone may know. */
	if (fd_is_held(&hold) &&
		((hold.entry->layer == NULL && !hold.entry->is_file) || fd_is_kept(&hold)))
		return hold.entry;
	errno = EBADF;
	return NULL;
}

void
stream_leave_error(const struct hub_stream *stream)
{
	int error = errno;
	struct hub_fd *entry = stream->fd != -1 ? stream_entry(stream) : NULL;

	errno = error;
	if (entry != NULL)
		fd_leave_error(entry);
}

void
stream_end_part(const struct hub_stream *stream)
{
	struct fd_hold hold = hold_of(stream);

	if (fd_is_held(&hold))
		fd_note_part(hold.entry, false);
}

void
stream_give_back(struct hub_stream *stream, char **buffer, size_t size)
{
	if (size == BUFFER_SIZE)
		buffer_give(stream->hub, *buffer);
	else
		free(*buffer);
	*buffer = NULL;
}

bool
stream_begin_read(struct hub_stream *stream)
{
	struct stream_input *input = &stream->input;

	if (!stream_enter(stream))
		return false;
	CHECK_WHY(stream->hub == hub_this, "a stream is read in another thread than its own");
	if (input->is_read) {
		errno = EBUSY;
		return false;
	}
	DCHECK(input_is_consistent(input));
	if (input->stop != NULL) {
		*input->stop = input->stopped;
		input->stop = NULL;
	}
	return true;
}

/* Exchanges the buffer for one of size + 1 bytes. */
static bool
grow(struct hub_stream *stream, size_t size)
{
	struct stream_input *input = &stream->input;
	size_t held = stream_held(stream);
	char *larger;

	/* That size is the hub's. */
	if (size + 1 == BUFFER_SIZE)
		size++;
	larger = malloc(size + 1);
	if (larger == NULL)
		return false;
	memcpy(larger, input->buffer + input->start, held);
	stream_give_back(stream, &input->buffer, input->size + 1);
	input->buffer = larger;
	input->size = size;
	input->start = 0;
	input->end = held;
	return true;
}

/* Makes room behind the bytes that are held: by moving them to the front, or in a larger buffer. */
static bool
make_room(struct hub_stream *stream, size_t most)
{
	struct stream_input *input = &stream->input;
	size_t held = stream_held(stream);

	if (held >= most) {
		errno = EMSGSIZE;
		return false;
	}
	if (input->size - input->end >= input->size / 2)
		return true;
	if (held > input->size / 2 && input->size < most)
		return grow(stream, 2 * input->size < most ? 2 * input->size : most);
	memmove(input->buffer, input->buffer + input->start, held);
	input->start = 0;
	input->end = held;
	return true;
}

void
stream_drop_buffer(struct hub_stream *stream)
{
	DCHECK(!stream_has(stream, 1));
	stream_give_back(stream, &stream->input.buffer, stream->input.size + 1);
	stream->input.start = stream->input.end = stream->input.searched = 0;
}

int
stream_fill(struct hub_stream *stream, size_t most)
{
	struct stream_input *input = &stream->input;
	ssize_t got;

	DCHECK(input_is_consistent(input) && !input->is_read);
	if (stream_held(stream) == 0)
		stream_drop_buffer(stream);
	else if (!make_room(stream, most))
		return -1;
	input->is_read = true;
	got = stream->kind->receive(stream,
		input->buffer != NULL ? input->buffer + input->end : NULL,
		input->size - input->end);
	input->is_read = false;
	if (got > 0)
		input->end += (size_t)got;
	DCHECK(input_is_consistent(input));
	return got > 0 ? 1 : (int)got;
}

void
stream_say_end(const struct hub_stream *stream)
{
	errno = stream_held(stream) == 0 ? 0 : EBADMSG;
}

int
stream_have(struct hub_stream *stream, size_t count)
{
	while (stream_held(stream) < count) {
		int filled = stream_fill(stream, count);

		if (filled == 0)
			stream_say_end(stream);
		if (filled <= 0)
			return filled;
	}
	return 1;
}

void
stream_consume(struct hub_stream *stream, size_t count)
{
	DCHECK(stream_has(stream, count));
	stream->input.start += count;
	stream->input.searched = 0;
}

char *
stream_view(struct hub_stream *stream, size_t count)
{
	struct stream_input *input = &stream->input;
	char *view;

	if (count == 0) {
		stream->nothing = '\0';
		return &stream->nothing;
	}
	view = input->buffer + input->start;
	stream_consume(stream, count);
	input->stop = view + count;
	input->stopped = *input->stop;
	*input->stop = '\0';
	return view;
}

size_t
hub_stream_buffered(const struct hub_stream *stream)
{
	return stream_held(stream);
}
