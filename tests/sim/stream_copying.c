/* Copying, from stream to stream, to memory and from it. A copy's bytes come in pieces, so nobody
 * else writes to where it goes. */
#include <stdlib.h>
#include <string.h>

#include "hub/io/stream.h"
#include "tests/sim/random_streams.h"
#include "tests/sim/stream_places.h"

/* Copies what was said and not read yet, or less, from one stream to another. */
static void
copy(struct current *source, struct hub_stream *from, struct current *target, struct hub_stream *to)
{
	size_t most = source->is_torn ? 0 : source->said - source->seen;
	size_t count = most > 0 && source->said > source->seen ? 1 + draw(most) : 0;
	int64_t copied;

	if (count == 0)
		return;
	copied = hub_stream_copy(from, to, count);
	if (copied > (int64_t)count)
		wires_complain(source->wire, "more is copied than was wanted", (long)copied);
	if (copied < 0) {
		wire_failed(source->wire, ERRNOS_SEND, "a copy fails");
		if (target != NULL)
			wire_failed(target->wire, ERRNOS_SEND, "a copy fails");
		return;
	}
	random_streams.copied += (size_t)copied;
	if (target != NULL)
		current_say(target, current_next(source, (size_t)copied), (size_t)copied);
	current_see(source, current_next(source, (size_t)copied), (size_t)copied);
}

/* From a stream to memory. */
static void
copy_out(struct current *source, struct hub_stream *from)
{
	struct hub_stream *memory = hub_stream_new_memory(NULL, 0, NULL);
	size_t before = source->seen, length;
	const char *output;

	if (memory == NULL)
		return;
	copy(source, from, NULL, memory);
	output = hub_stream_output(memory, &length);
	/* What one that is torn has read nobody counts. */
	if (!source->is_torn &&
		(length != source->seen - before ||
			(length > 0 && memcmp(output, source->bytes + before, length) != 0)))
		wires_complain(source->wire, "memory does not hold what was copied", (long)length);
	hub_stream_free(memory);
}

/* From memory to a stream, which nobody else writes to. */
static void
copy_in(struct current *target, struct hub_stream *to)
{
	size_t length = some_length();
	unsigned char *bytes = malloc(length);
	struct hub_stream *memory;
	int64_t copied;

	current_draw(target, bytes, length);
	memory = hub_stream_new_memory(bytes, length, NULL);
	if (memory != NULL) {
		copied = hub_stream_copy(memory, to, UINT64_MAX);
		if (copied < 0)
			wire_failed(target->wire, ERRNOS_SEND, "a copy fails");
		else
			current_say(target, bytes, (size_t)copied);
		hub_stream_free(memory);
	}
	free(bytes);
}

static void
copy_to(struct place *place, int end, struct current *source, struct hub_stream *from)
{
	struct current *target = place->currents[end];

	if (target->kind != HUB_FRAME_LINE || target->writers > 0 || !place_begin_write(place, end))
		return;
	target->is_copied_to = true;
	if (source != NULL)
		copy(source, from, target, place->streams[end]);
	else
		copy_in(target, place->streams[end]);
	target->is_copied_to = false;
	target->writers--;
}

void
step_copy(struct place *place)
{
	struct place *other = place_any();
	int end = (int)draw(2);
	struct current *source = place->currents[1 - end];

	if (draw(4) == 0) {
		copy_to(place, end, NULL, NULL);
		return;
	}
	if ((place->wire->is_pipe && end == 0) || source->owed > 0 || !place_is_whole(other) ||
		source->kind != HUB_FRAME_LINE || hub_lock_acquire(&source->reads) != 0)
		return;
	if (draw(3) == 0)
		copy_out(source, place->streams[end]);
	else
		copy_to(other, (int)draw(2), source, place->streams[end]);
	hub_lock_release(&source->reads);
}
