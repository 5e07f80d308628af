/* Permits: the right to open a connection, so that --max-connections is never exceeded.
 *
 *	limit = what the master holds + granted to each process, free in its hubs' rows or used up
 *	        by open connections
 *
 * A hub takes one before it accepts and gives it back to its own row when the connection ends. The
 * master moves free ones to where they are needed, and has back all those of a process that
 * died. */
#ifndef HUBBUB_MASTER_PERMITS_H
#define HUBBUB_MASTER_PERMITS_H

#include "master/roster.h"

/* Takes back what hubs that leave have free, and shares out what there is among those that
 * accept. */
void permits_share(struct fleet *fleet);

/* Takes back all free permits of a slot: it may open nothing more, even before it hears so. */
void permits_revoke(struct slot *slot);

/* The slot's process is dead, and its rows are still there: counts the connections that died with
 * it, and has all its permits back. */
void permits_lose(struct slot *slot);

/* The limit in force. */
uint64_t permits_limit(const struct fleet *fleet);

#endif
