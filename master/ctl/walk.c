/* Time on a track never goes back, so a record that says so is none. */
#include "master/ctl/walk.h"

void
walk_begin(struct walk *walk, const struct track *track, int64_t end)
{
	*walk = (struct walk){.track = track,
		.end = track->died != 0 && track->died < end ? track->died : end,
		.number = track->count > 0 ? flight_event(&track->records[0]).number : 0};
}

static bool
is_possible(const struct walk *walk, const struct flight_event *event)
{
	if (event->kind == FLIGHT_TEXT)
		return true;
	return event->kind > FLIGHT_NONE && event->kind < FLIGHT_KINDS &&
	       event->time >= walk->time && event->time <= walk->end;
}

bool
walk_next(struct walk *walk, struct flight_event *event)
{
	walk->is_behind_gap = false;
	while (walk->at < walk->track->count) {
		walk->record = &walk->track->records[walk->at++];
		*event = flight_event(walk->record);
		walk->is_behind_gap = walk->is_behind_gap || event->number != walk->number;
		walk->number = event->number + 1;
		if (!is_possible(walk, event)) {
			walk->is_behind_gap = true;
			continue;
		}
		if (event->kind != FLIGHT_TEXT)
			walk->time = event->time;
		return true;
	}
	return false;
}
