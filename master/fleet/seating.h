/* Who sits where: which hub accepts on which seat, and who serves the queue of a seat on which
 * nobody accepts. A queue is never left alone: it is served, adopted, or empty for long enough
 * that its seat may leave the group. */
#ifndef HUBBUB_FLEET_SEATING_H
#define HUBBUB_FLEET_SEATING_H

#include "master/fleet/roster.h"

/* The hubs of a slot, which are ready, sit on their seats, which listen from now on, instead of
 * whoever did. Returns false if one cannot listen; then the slot's process is killed, after a
 * line in the log. */
bool seating_sit(struct slot *slot);

/* The hub accepts on its seat no more; nothing happens if another one sits there. */
void seating_leave(const struct slot *slot, unsigned hub);

/* No hub will sit on this seat: it gets nothing new, and leaves the group when its queue has
 * been empty for a while. */
void seating_retire(struct fleet *fleet, unsigned seat);

/* Has clients accepted who wait where nobody can do so: no hub sits there, or one that hangs, or
 * one that lacks permits. Workers with permits accept them, each so many that their hubs come to
 * the same number of connections. When all drain for good, one of them makes the queue of a hub
 * that is dead or hangs its own, as a whole. */
void seating_rescue(struct fleet *fleet);

/* The same, with the queues as seating_tick has measured them. Called every FLEET_TICK, when
 * permits have been shared out. */
void seating_relieve(struct fleet *fleet);

/* The slot's process is dead: the queues that it has adopted at the end are another's to adopt. */
void seating_forget(const struct slot *slot);

/* Measures queues, and takes what is to retire out of the group. Called every FLEET_TICK. */
void seating_tick(struct fleet *fleet, int64_t now);

#endif
