/* The records of a track, one after the other: what a mad worker has written into its ring is left
 * out, and what is missing is said. */
#ifndef HUBBUB_CTL_WALK_H
#define HUBBUB_CTL_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "master/ctl/tracks.h"

struct walk {
	const struct track *track;
	int64_t end; /* clock: nothing can have happened later */
	size_t at;   /* the next one among the track's records */
	uint64_t number;
	int64_t time;
	const struct flight_record *record; /* that was returned last, for its text */
	bool is_behind_gap; /* records before it are missing: what ran until then is not known */
};

/* Begins. end counts for a process that lives; what a dead one did ends with its death. */
void walk_begin(struct walk *walk, const struct track *track, int64_t end);

/* Sets the next event: of a kind that there is, no earlier than the former one, no later than the
 * end; of FLIGHT_TEXT, the record alone. Returns false behind the last one. */
bool walk_next(struct walk *walk, struct flight_event *event);

#endif
