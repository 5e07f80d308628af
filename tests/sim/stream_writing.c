/* Writing: at any end several coroutines at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/io/buffers_priv.h"
#include "hub/io/stream.h"
#include "tests/sim/random_streams.h"
#include "tests/sim/stream_places.h"

/* Whether another coroutine may write to the end now. */
bool
place_begin_write(struct place *place, int end)
{
	struct current *current = place->currents[end];

	if ((place->wire->is_pipe && end == 1) || place->wire->ends[end].has_ended ||
		current->is_copied_to || current->is_torn)
		return false;
	current->writers++;
	return true;
}

static void
end_write(struct current *current, const void *bytes, size_t length, ssize_t written)
{
	current->writers--;
	if (written > (ssize_t)length)
		wires_complain(current->wire, "more is written than there was", written);
	if (written < 0)
		wire_failed(current->wire, ERRNOS_SEND, "a call that writes fails");
	else
		current_say(current, bytes, (size_t)written);
	random_streams.written += written > 0 ? (size_t)written : 0;
}

static void
write_frame(struct place *place, int end, size_t length)
{
	struct current *current = place->currents[end];
	unsigned char *frame = malloc(FRAME_HEAD_MOST + length + 1);
	const char *tail = frame_tail(current->kind);
	size_t head, total;
	int result;

	if (current->kind == HUB_FRAME_8)
		length %= 256;
	head = frame_head(current->kind, length, frame);
	current_draw(current, frame + head, length);
	for (size_t i = 0; i < length && current->kind == HUB_FRAME_LINE; i++)
		if (frame[head + i] == '\n')
			frame[head + i] = ' ';
	total = head + length + strlen(tail);
	result = hub_stream_write_frame(place->streams[end], current->kind, frame + head, length);
	memcpy(frame + head + length, tail, strlen(tail));
	/* A part of a large one may have been sent. */
	current->is_torn = current->is_torn || (result < 0 && total > BUFFER_SIZE);
	end_write(current, frame, total, result < 0 ? -1 : (ssize_t)total);
	random_streams.frames += result == 0;
	free(frame);
}

static void
write_text(struct place *place, int end, size_t length)
{
	struct current *current = place->currents[end];
	char *text = malloc(length);
	ssize_t written;

	current_draw(current, (unsigned char *)text, length);
	if (draw(4) == 0)
		written = hub_stream_printf(place->streams[end], "%.*s", (int)length, text);
	else
		written = hub_stream_write(place->streams[end], text, length);
	end_write(current, text, length, written);
	free(text);
}

void
step_write(struct place *place)
{
	int end = (int)draw(2);

	if (!place_begin_write(place, end))
		return;
	if (place->currents[end]->kind != HUB_FRAME_LINE || draw(4) == 0)
		write_frame(place, end, some_length());
	else
		write_text(place, end, some_length());
}

void
step_flush(struct place *place)
{
	int end = (int)draw(2);

	if (!place_begin_write(place, end))
		return;
	if (draw(4) == 0)
		hub_stream_cork(place->streams[end], draw(2));
	else if (hub_stream_flush(place->streams[end]) != 0)
		wire_failed(place->wire, ERRNOS_SEND, "flush fails");
	place->currents[end]->writers--;
}
