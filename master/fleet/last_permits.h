/* Permits while the server drains and no generation serves: as connections end at one worker,
 * clients still queued at another worker are served. */
#ifndef HUBBUB_FLEET_LAST_PERMITS_H
#define HUBBUB_FLEET_LAST_PERMITS_H

#include "master/fleet/roster.h"

/* Moves unassigned permits, and those that draining workers can spare, to draining workers with
 * queued clients. Called after permits_share. Any hub of a worker may get them, because draining
 * hubs share permits. Without --max-connections does nothing: each worker then has what its own
 * file limit allows. */
void last_permits_share(struct fleet *fleet);

#endif
