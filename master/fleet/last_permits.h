/* Permits at the end, when no generation serves any more: clients who are still queued at workers
 * that drain for good are served as others leave, wherever in the server that is. */
#ifndef HUBBUB_FLEET_LAST_PERMITS_H
#define HUBBUB_FLEET_LAST_PERMITS_H

#include "master/fleet/roster.h"

/* Gives permits that nobody has, and those that draining workers have to spare, to draining workers
 * with clients who wait; after permits_share. Of a worker's hubs any may have them: at the end they
 * share. Without a limit of the server a worker has what its own files allow, and nothing moves. */
void last_permits_share(struct fleet *fleet);

#endif
