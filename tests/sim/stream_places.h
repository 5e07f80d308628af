/* The streams of random programs, and the steps that coroutines take on them. All switch, unless
 * they say otherwise. */
#ifndef HUBBUB_TESTS_SIM_STREAM_PLACES_H
#define HUBBUB_TESTS_SIM_STREAM_PLACES_H

#include <hubbub/sim.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/sim/currents.h"

enum { MOST = 40000, SMALL = 300 };

/* A wire and its streams, which live until the program ends. currents[i] is written at end i. */
struct place {
	struct place *next;
	struct wire *wire;
	struct hub_stream *streams[2];
	struct current *currents[2];
};

/* All of this run, the last one first. */
extern struct place *all_places;

static inline size_t
draw(size_t limit)
{
	return (size_t)hub_sim_draw(limit);
}

/* Of bytes that are written or read at once. */
size_t some_length(void);

/* A wire of a kind that is drawn; NULL if there is none. */
struct place *place_new(void);

/* Whether there are streams at both ends. Switches: no. */
bool place_is_whole(const struct place *place);

/* Switches: no. */
void places_free(void);

/* Complains if a stream that holds nothing has a buffer. Switches: no. */
void places_judge(void);

/* One of those that are in use; may be NULL. Switches: no. */
struct place *place_any(void);

/* Begins a call that writes at an end, if one may: its current then counts a writer more.
 * Switches: no. */
bool place_begin_write(struct place *place, int end);

void step_write(struct place *place);
void step_flush(struct place *place);
void step_read(struct place *place);
void step_copy(struct place *place);

/* Reads what comes next, by any call. Returns false at the end, or if that has failed. */
bool read_more(struct current *current, struct hub_stream *stream);

#endif
