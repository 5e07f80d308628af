/* The balance: what share of new connections each hub gets, from the loads that the master sees;
 * and which hubs get datagrams. Says so to the kernel by the programs of steering.h. */
#ifndef HUBBUB_FLEET_BALANCE_H
#define HUBBUB_FLEET_BALANCE_H

#include "master/fleet/roster.h"

/* Gives the kernel the shares that follow from the loads, now: after each change of who sits
 * where, and every FLEET_TICK. Where the kernel refuses, connections are spread by its hash, after
 * a line in the log. */
void balance_steer(struct fleet *fleet);

/* Counts how many connections have come since the last time, and how many of them stand for others
 * that left, for the next shares. Called every FLEET_TICK, when queues have been measured. */
void balance_measure(struct fleet *fleet);

/* For a master that gets the sockets from another one, which may have steered: takes its programs
 * for attached. Without the order of the group nobody can steer: leaves it to the kernel's hash,
 * for good, after a line in the log. */
void balance_inherit(struct fleet *fleet, bool is_order_known);

#endif
