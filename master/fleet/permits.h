/* Permits: each is the right to open one connection, so that --max-connections is never exceeded.
 *
 *	limit = what the master holds + granted to each process, free in its hubs' rows or used up
 *	        by open connections
 *
 * A hub takes a permit from its own row before it accepts, and puts the permit back when the
 * connection ends. The master gets back the permits of a process that died, and moves free permits
 * between hubs, so that open connections plus free permits are the same for all hubs that serve:
 * connections under a limit are spread as evenly as without a limit. The part of a worker that is
 * about to start is kept for that worker for a second. */
#ifndef HUBBUB_FLEET_PERMITS_H
#define HUBBUB_FLEET_PERMITS_H

#include "master/fleet/roster.h"

/* Takes back the free permits of hubs that leave, and levels the permits of hubs that accept: from
 * each hub that holds more than its part, to each hub that holds less. Does nothing while the fleet
 * is frozen. */
void permits_share(struct fleet *fleet);

/* Adds change, which may be negative, to the permits of the slot's process, also in shared memory,
 * where other masters read the number. */
void permits_account(struct slot *slot, int64_t change);

/* The permits held by workers of other masters, which drain. */
int64_t permits_elsewhere(const struct fleet *fleet);

/* Takes back at most most free permits of one of the slot's hubs. Returns how many: never more than
 * were granted to the process, whatever it has written over their number. */
int64_t permits_take(struct slot *slot, unsigned hub, int64_t most);

/* Shares what is granted to the slot among its hubs as if no connection were open, after their
 * numbers were overwritten. */
void permits_renew(struct slot *slot);

/* Takes back all free permits of the slot: its worker opens no more connections, even before it
 * reads a message. */
void permits_revoke(struct slot *slot);

/* For a slot whose process is dead and whose rows are still there: takes back all its permits, and
 * counts the used ones as lost connections. */
void permits_lose(struct slot *slot);

/* The limit in force: --max-connections or what the workers' file limits allow, whichever is
 * lower. */
uint64_t permits_limit(const struct fleet *fleet);

#endif
