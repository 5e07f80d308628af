/* Seating: which hub accepts on which seat, and which workers adopt the queue of a seat whose hub
 * does not accept. Every queue is served by its hub, adopted by other workers, or empty for so long
 * that the seat may leave the group. */
#ifndef HUBBUB_FLEET_SEATING_H
#define HUBBUB_FLEET_SEATING_H

#include "master/fleet/roster.h"

/* Seats the hubs of a ready slot, in place of former occupants, and makes their seats listen.
 * Returns false if a seat cannot listen; then the process was killed, after a line in the log. */
bool seating_sit(struct slot *slot);

/* The hub stops accepting on its seat; does nothing if another hub sits there. */
void seating_leave(const struct slot *slot, unsigned hub);

/* Empties a seat for good: the seat gets no new connections, and leaves the group when its queue
 * has been empty for a while. */
void seating_retire(struct fleet *fleet, unsigned seat);

/* Finds queues whose hub cannot accept (dead, hung, or without permits), and has workers that hold
 * permits accept the clients waiting there, so many by each that the hubs of all workers come to
 * the same number of connections. When the server drains, one worker adopts each queue of a dead or
 * hung hub as a whole. */
void seating_rescue(struct fleet *fleet);

/* As seating_rescue, with the queues as seating_tick has measured them. Called every FLEET_TICK,
 * after permits were shared out. */
void seating_relieve(struct fleet *fleet);

/* The slot's process is dead: lets other workers adopt the queues that it had adopted while
 * draining. */
void seating_forget(const struct slot *slot);

/* Measures queues, and takes retiring seats with empty queues out of the group. Called every
 * FLEET_TICK. */
void seating_tick(struct fleet *fleet, int64_t now);

#endif
