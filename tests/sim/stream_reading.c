/* Reading: at any end one coroutine at a time, and another that must be refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/io/stream.h"
#include "tests/sim/random_streams.h"
#include "tests/sim/stream_places.h"

/* A reading call has returned no view, or a failure. */
static void
judge_nothing(struct current *current, const struct hub_stream *stream)
{
	bool is_spoiled = current->wire->is_spoiled || current->is_torn;

	if (errno == 0)
		current_end(current);
	else if (errno == EMSGSIZE)
		random_streams.too_long++;
	else if (errno == EBADMSG) {
		random_streams.halves++;
		if (!current_may_lack_bytes(current) &&
			hub_stream_buffered(stream) != current->said - current->seen)
			wires_complain(current->wire, "of a half line bytes are missing",
				(long)hub_stream_buffered(stream));
	} else if (errno != EPROTO || !is_spoiled)
		wire_failed(current->wire, ERRNOS_SEND, "a call that reads fails");
}

/* A view has been read, with a tail behind it. */
static bool
judge_view(struct current *current, const struct hub_stream *stream, const char *view,
	size_t length, const char *tail)
{
	if (view == NULL) {
		judge_nothing(current, stream);
		return false;
	}
	if (view[length] != '\0')
		wires_complain(current->wire, "no NUL is behind a view", (long)length);
	current_see(current, view, length);
	current_see(current, tail, strlen(tail));
	random_streams.read += length;
	return true;
}

/* Reads bytes, at most so many, by one of the calls that do not look at them. Returns how many. */
static size_t
read_bytes(struct current *current, struct hub_stream *stream, size_t most)
{
	char *bytes, *view;
	size_t length = most;
	ssize_t got;

	switch (draw(4)) {
	case 0:
		view = hub_stream_read_exactly(stream, most);
		return judge_view(current, stream, view, most, "") ? most : 0;
	case 1:
		bytes = malloc(most + 1);
		got = hub_stream_read(stream, bytes, most);
		bytes[got > 0 ? got : 0] = '\0';
		if (got == 0)
			errno = 0;
		judge_view(current, stream, got > 0 ? bytes : NULL, got > 0 ? (size_t)got : 0, "");
		free(bytes);
		return got > 0 ? (size_t)got : 0;
	default:
		view = hub_stream_read_some(stream, most, &length);
		if (view != NULL && length > most)
			wires_complain(current->wire, "more is read than was wanted", (long)length);
		return judge_view(current, stream, view, length, "") ? length : 0;
	}
}

static void
skip_bytes(struct current *current, struct hub_stream *stream)
{
	size_t most = current->known - current->seen;
	size_t length = most > 0 ? 1 + draw(most) : 0;
	ssize_t skipped;

	if (length == 0 || current_next(current, length) == NULL)
		return;
	skipped = hub_stream_skip(stream, length);
	if (skipped == 0)
		errno = 0;
	if (skipped <= 0)
		judge_nothing(current, stream);
	else if ((size_t)skipped > length)
		wires_complain(current->wire, "more is skipped than was wanted", (long)skipped);
	else
		current_see(current, current_next(current, (size_t)skipped), (size_t)skipped);
}

static void
peek_bytes(struct current *current, struct hub_stream *stream)
{
	size_t length;
	const char *view = hub_stream_peek(stream, 1 + draw(SMALL), &length);

	if (view == NULL)
		judge_nothing(current, stream);
	else if (view[length] != '\0')
		wires_complain(current->wire, "no NUL is behind a view", (long)length);
	else
		current_peek(current, view, length);
}

/* Text up to a delimiter; NULL with errno as the calls. */
static const char *
read_until(struct current *current, struct hub_stream *stream, const char *delimiter)
{
	size_t length;
	const char *view;

	if (strcmp(delimiter, "\n") == 0)
		view = hub_stream_read_line(stream, &length);
	else
		view = hub_stream_read_until(stream, delimiter, strlen(delimiter), &length);
	if (view != NULL && memmem(view, length, delimiter, strlen(delimiter)) != NULL)
		wires_complain(current->wire, "a delimiter is passed over", (long)length);
	judge_view(current, stream, view, length, delimiter);
	return view;
}

bool
read_more(struct current *current, struct hub_stream *stream)
{
	if (current->kind == HUB_FRAME_LINE &&
		read_until(current, stream, draw(2) ? "ab" : "\n") != NULL)
		return true;
	return read_bytes(current, stream, MOST) > 0 || errno == EBADMSG || errno == EMSGSIZE;
}

static void
read_text(struct current *current, struct hub_stream *stream)
{
	const char *view;

	switch (draw(8)) {
	case 0:
		skip_bytes(current, stream);
		return;
	case 1:
		peek_bytes(current, stream);
		return;
	case 2:
	case 3:
		read_bytes(current, stream, some_length());
		return;
	case 4:
	case 5:
		view = read_until(current, stream, "ab");
		break;
	default:
		view = read_until(current, stream, "\n");
	}
	/* A long line, or a half one, is read in pieces. */
	if (view == NULL && (errno == EMSGSIZE || errno == EBADMSG))
		read_bytes(current, stream, some_length());
}

/* One that is too long is read in pieces, in this call and the next ones. */
static void
read_frame(struct current *current, struct hub_stream *stream)
{
	unsigned char head[FRAME_HEAD_MOST];
	const char *tail = frame_tail(current->kind), *view;
	size_t length;

	if (current->owed > 0) {
		current->owed -= read_bytes(current, stream, 1 + draw(current->owed));
		return;
	}
	if (draw(4) == 0)
		peek_bytes(current, stream);
	view = hub_stream_read_frame(stream, current->kind, &length);
	if (view != NULL) {
		current_see(current, head, frame_head(current->kind, length, head));
		judge_view(current, stream, view, length, tail);
		return;
	}
	judge_nothing(current, stream);
	if (errno != EMSGSIZE)
		return;
	view = hub_stream_peek(stream, 1, &length);
	if (view != NULL) {
		length = frame_length(current->kind, (const unsigned char *)view, &current->owed);
		current->owed += length + strlen(tail);
	}
}

/* A second one that reads is refused. */
static void
intrude(struct current *current, struct hub_stream *stream)
{
	const char *view = hub_stream_read_some(stream, 1, NULL);

	if (view != NULL)
		wires_complain(current->wire, "two read at a time", 0);
	else if (errno != EBUSY)
		wire_failed(current->wire, ERRNOS_SEND, "a second reader fails");
	random_streams.refused++;
}

void
step_read(struct place *place)
{
	int end = (int)draw(2);
	struct current *current = place->currents[1 - end];
	struct hub_stream *stream = place->streams[end];

	if (place->wire->is_pipe && end == 0)
		return;
	if (current->is_read && draw(4) == 0) {
		intrude(current, stream);
		return;
	}
	if (hub_lock_acquire(&current->reads) != 0)
		return;
	current->is_read = true;
	if (current->is_torn)
		read_bytes(current, stream, some_length());
	else if (current->kind == HUB_FRAME_LINE)
		read_text(current, stream);
	else
		read_frame(current, stream);
	current->is_read = false;
	hub_lock_release(&current->reads);
}
