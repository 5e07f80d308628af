/* Who sits where: which hub accepts on which seat, what share of new connections it gets, and who
 * serves the queue of a seat on which nobody accepts. */
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

/* Gives the kernel the shares that follow from the loads, now: after each change of who sits where. */
void seating_steer(struct fleet *fleet);

/* Measures queues and arrivals, adopts and retires. Called every FLEET_TICK. */
void seating_tick(struct fleet *fleet, int64_t now);

/* For a master that gets the sockets from another one, which may have steered: nobody sits anywhere yet. Without the order
 * of the group nobody can steer. */
void seating_inherit(struct fleet *fleet, bool is_order_known);

#endif
