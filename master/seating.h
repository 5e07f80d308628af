/* Who sits where: which hub accepts on which seat, and who serves the queue of a seat on which
 * nobody accepts. A queue is never left alone: it is served, adopted, or empty for long enough to
 * be parked. */
#ifndef HUBBUB_MASTER_SEATING_H
#define HUBBUB_MASTER_SEATING_H

#include "master/roster.h"

/* The hubs of a slot, which are ready, sit on their seats, which listen from now on, instead of
 * whoever did. If one cannot listen, the slot's process is killed, after a line in the log. */
void seating_sit(struct slot *slot);

/* The hub accepts on its seat no more; nothing happens if another one sits there. */
void seating_leave(const struct slot *slot, unsigned hub);

/* No hub will sit on this seat: it gets nothing new, and is parked when its queue has been empty
 * for a while. */
void seating_retire(struct fleet *fleet, unsigned seat);

/* Sends every queue on which nobody accepts to a worker that serves it. */
void seating_adopt(struct fleet *fleet);

/* Measures queues, adopts, and parks what is to retire. Called every FLEET_TICK. */
void seating_tick(struct fleet *fleet, int64_t now);

#endif
