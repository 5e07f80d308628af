/* The balance: what share of new connections each hub gets, by the load of each, and which hubs get
 * datagrams. The kernel learns the shares through the programs of steering.h. */
#ifndef HUBBUB_FLEET_BALANCE_H
#define HUBBUB_FLEET_BALANCE_H

#include "master/fleet/roster.h"

/* Computes the shares from the present loads and attaches the programs. To be called after each
 * change of occupants, and every FLEET_TICK. Where the kernel refuses a program, logs it once; the
 * kernel's hash then spreads connections. */
void balance_steer(struct fleet *fleet);

/* Counts, for the next shares, how many connections arrived since the last call, and how many of
 * these replaced connections that ended. Called every FLEET_TICK, after queues were measured. */
void balance_measure(struct fleet *fleet);

/* For a master that takes the sockets over from another master: assumes that the other master's
 * programs are attached. Without the order of the group no master can steer: then detaches the
 * programs, logs it, and leaves connections to the kernel's hash for the rest of this master's
 * life. */
void balance_inherit(struct fleet *fleet, bool is_order_known);

#endif
