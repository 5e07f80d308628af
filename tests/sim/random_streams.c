/* Coroutines share the streams of several connections, as the API allows: one reads at a time, any
 * number write, one copies to another stream. They are killed, interrupted and timed out at any
 * moment, and descriptors are closed in between. All is drawn from the world's seed. At the end
 * each connection that nobody has seen fail must carry all that was written, and then the end. */
#include "tests/sim/random_streams.h"

#include <errno.h>
#include <hubbub/sim.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/sim/stream_places.h"

#define PATIENCE (30 * HUB_SECOND)
#define MOMENT (3 * HUB_MILLISECOND)

enum { PLACES = 3, ACTORS = 8, STEPS = 24 };

struct random_streams random_streams;

static struct place *places[PLACES];
static struct hub_coroutine *actors[ACTORS];

/* ---- steps ---- */

struct place *
place_any(void)
{
	return places[draw(PLACES)];
}

static void
step_sleep(struct place *place)
{
	(void)place;
	hub_sleep(draw(2) ? 0 : (int64_t)draw(MOMENT));
}

static void
step_close(struct place *place)
{
	int end = (int)draw(2);

	place->wire->is_spoiled = true;
	place->wire->ends[end].has_ended = true;
	wire_close(place->wire, end);
}

/* What is held is lost, unless there is none. */
static void
step_shut_down(struct place *place)
{
	int end = (int)draw(2);

	if (place->wire->is_pipe || place->wire->ends[end].fd == -1)
		return;
	if (hub_stream_unsent(place->streams[end]) > 0 || place->currents[end]->writers > 0)
		place->wire->is_spoiled = true;
	place->wire->ends[end].has_ended = true;
	if (hub_shutdown(place->wire->ends[end].fd, SHUT_WR) != 0)
		place->wire->is_spoiled = true;
}

static void
step_open(struct place *place)
{
	size_t which = draw(PLACES);

	(void)place;
	place = place_new();
	if (place != NULL)
		places[which] = place;
}

static void
step_kill(struct place *place)
{
	struct hub_coroutine *actor = actors[draw(ACTORS)];

	(void)place;
	if (actor != NULL && draw(3) == 0)
		hub_kill(actor);
	else if (actor != NULL)
		hub_interrupt(actor);
}

/* ---- a program ---- */

static void (*const steps[])(struct place *place) = {step_write, step_read, step_flush, step_copy,
	step_sleep, step_close, step_shut_down, step_open, step_kill};
enum { KINDS = sizeof steps / sizeof steps[0] };

/* Each program draws how often it takes each kind of step, and takes some never. */
static unsigned weights[KINDS];

static void
draw_weights(void)
{
	for (int i = 0; i < KINDS; i++)
		weights[i] = (unsigned)(draw(2) ? 1 + draw(4) : draw(2));
	weights[0] += 8;
	weights[1] += 8;
	weights[2] += 2;
	weights[3] += 2;
}

static void
step(struct place *place)
{
	unsigned sum = 0, i = 0, drawn;

	for (int kind = 0; kind < KINDS; kind++)
		sum += weights[kind];
	for (drawn = (unsigned)draw(sum); drawn >= weights[i]; i++)
		drawn -= weights[i];
	steps[i](place);
	places_judge();
}

static void *
act(void *argument)
{
	for (size_t left = 1 + draw(STEPS); left > 0; left--) {
		struct place *place = place_any();
		struct hub_timeout scope;
		bool has_scope = draw(2);

		if (has_scope)
			hub_timeout_start(&scope, (int64_t)draw(MOMENT));
		if (place_is_whole(place))
			step(place);
		else
			step_open(NULL);
		if (has_scope)
			random_streams.ended_early += hub_timeout_stop(&scope);
		if (hub_sleep(0) != 0 && errno == ECANCELED)
			break;
	}
	return argument;
}

/* ---- its end ---- */

/* Reads all that is left. */
static void *
drain(void *argument)
{
	struct current *current = argument;
	struct hub_stream *stream = NULL;

	for (struct place *place = all_places; place != NULL; place = place->next)
		if (place->currents[current->from] == current)
			stream = place->streams[1 - current->from];
	while (read_more(current, stream))
		continue;
	return NULL;
}

static void
end_output(struct place *place, int end)
{
	struct wire *wire = place->wire;

	if (hub_stream_flush(place->streams[end]) != 0)
		wire_failed(wire, ERRNOS_SEND, "the last flush fails");
	wire->is_spoiled = wire->is_spoiled || hub_stream_unsent(place->streams[end]) > 0;
	wire->ends[end].has_ended = true;
	if (wire->is_pipe)
		wire_close(wire, end);
	else if (wire->ends[end].fd == -1 || hub_shutdown(wire->ends[end].fd, SHUT_WR) != 0)
		wire->is_spoiled = true;
}

/* Nobody uses the wire any more. */
static void
finish(struct place *place)
{
	int64_t began = hub_now();
	struct hub_nursery nursery;
	struct hub_timeout scope;
	int ends = place->wire->is_pipe ? 1 : 2;

	hub_timeout_start(&scope, PATIENCE);
	hub_nursery_open(&nursery);
	for (int end = 0; end < ends; end++)
		if (hub_nursery_spawn(&nursery, drain, place->currents[end]) == NULL)
			place->wire->is_spoiled = true;
	for (int end = 0; end < ends; end++)
		end_output(place, end);
	hub_nursery_close(&nursery);
	/* The world may let it expire early. */
	if (hub_timeout_stop(&scope) && hub_now() >= began + PATIENCE && !place->wire->is_spoiled)
		wires_complain(place->wire, "it does not carry what was written", 0);
}

static void
end_actors(void)
{
	for (int i = 0; i < ACTORS; i++)
		if (actors[i] != NULL)
			hub_kill(actors[i]);
	for (int i = 0; i < ACTORS; i++)
		if (actors[i] != NULL)
			hub_join(actors[i], NULL);
	memset(actors, 0, sizeof actors);
}

void *
random_streams_body(void *certificate)
{
	signal(SIGPIPE, SIG_IGN);
	if (!wires_begin(certificate))
		return hub_fail(EINVAL, "%s", hub_tls_why());
	memset(places, 0, sizeof places);
	draw_weights();
	for (int i = 0; i < PLACES; i++)
		places[i] = place_new();
	for (int i = 0; i < ACTORS; i++) {
		actors[i] = hub_spawn(act, NULL);
		if (actors[i] != NULL)
			hub_sim_may_kill(actors[i]);
	}
	hub_sleep((int64_t)draw(10 * MOMENT));
	end_actors();
	for (struct place *place = all_places; place != NULL; place = place->next)
		if (place_is_whole(place) && !place->wire->is_spoiled)
			finish(place);
	places_free();
	wires_end();
	return wires_complaint[0] != '\0' ? hub_fail(EPROTO, "%s", wires_complaint) : NULL;
}
