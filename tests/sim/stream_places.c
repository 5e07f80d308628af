/* Places come and go while the program runs; what they have stays until it ends, for coroutines
 * that still are in a call there. */
#include "tests/sim/stream_places.h"

#include <stdlib.h>

#include "hub/io/stream_priv.h"
#include "tests/sim/random_streams.h"

struct place *all_places;

size_t
some_length(void)
{
	return 1 + draw(draw(4) == 0 ? MOST : SMALL);
}

static struct current *
new_current(struct wire *wire, int from)
{
	struct current *current = calloc(1, sizeof *current);

	if (current == NULL)
		abort();
	current->wire = wire;
	current->from = from;
	current->kind = draw(2) ? HUB_FRAME_LINE : (enum hub_frame)draw(HUB_FRAME_MAX);
	return current;
}

struct place *
place_new(void)
{
	struct wire *wire = draw(5) == 0 ? wire_open_pipe() : wire_open();
	struct hub_stream_options options = {.longest = draw(2) ? 0 : 64 + draw(MOST)};
	struct place *place = wire != NULL && wire->is_ready ? calloc(1, sizeof *place) : NULL;

	if (place == NULL)
		return NULL;
	place->wire = wire;
	place->next = all_places;
	all_places = place;
	for (int end = 0; end < 2; end++) {
		place->currents[end] = new_current(wire, end);
		if (wire->ends[end].fd != -1)
			place->streams[end] = hub_stream_new(wire->ends[end].fd, &options);
		wire->is_spoiled = wire->is_spoiled || place->streams[end] == NULL;
	}
	return place;
}

bool
place_is_whole(const struct place *place)
{
	return place != NULL && place->streams[0] != NULL && place->streams[1] != NULL;
}

void
places_free(void)
{
	struct place *place;

	while ((place = all_places) != NULL) {
		all_places = place->next;
		for (int end = 0; end < 2; end++) {
			random_streams.torn += place->currents[end]->is_torn;
			hub_stream_free(place->streams[end]);
			current_free(place->currents[end]);
		}
		free(place);
	}
}

/* A stream that holds nothing has no buffer while it waits, nor for what it has sent. */
void
places_judge(void)
{
	for (const struct place *place = all_places; place != NULL; place = place->next)
		for (int end = 0; end < 2; end++) {
			const struct hub_stream *stream = place->streams[end];

			if (stream == NULL)
				continue;
			if (stream->input.is_read && stream_held(stream) == 0 &&
				stream->input.buffer != NULL)
				wires_complain(place->wire, "it waits with a buffer", end);
			if (hub_stream_unsent(stream) == 0 && stream->output.buffer != NULL)
				wires_complain(place->wire, "a buffer is kept for nothing", end);
		}
}
