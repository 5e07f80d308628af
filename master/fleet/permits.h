/* Permits: the right to open a connection, so that --max-connections is never exceeded.
 *
 *	limit = what the master holds + granted to each process, free in its hubs' rows or used up
 *	        by open connections
 *
 * A hub takes one before it accepts and gives it back to its own row when the connection ends. The
 * master has back all those of a process that died, and moves free ones so that what a hub has open
 * and may open is the same for all hubs that serve: whom a limit lets in is spread as evenly as
 * without one. What a worker that is about to start will get is kept for it, for a second. */
#ifndef HUBBUB_FLEET_PERMITS_H
#define HUBBUB_FLEET_PERMITS_H

#include "master/fleet/roster.h"

/* Takes back what hubs that leave have free, and levels those that accept: from each hub that holds
 * more than its part, to each that holds less. */
void permits_share(struct fleet *fleet);

/* All that a slot's process has becomes so much more or less; another master reads it, too. */
void permits_account(struct slot *slot, int64_t change);

/* What the workers of other masters have, which drain. */
int64_t permits_elsewhere(const struct fleet *fleet);

/* Takes back all free permits of a slot: it may open nothing more, even before it hears so. */
void permits_revoke(struct slot *slot);

/* The slot's process is dead, and its rows are still there: counts the connections that died with
 * it, and has all its permits back. */
void permits_lose(struct slot *slot);

/* The limit in force: of --max-connections and what files allow, the lower one. */
uint64_t permits_limit(const struct fleet *fleet);

#endif
