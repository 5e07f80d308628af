/* The heartbeat: finds hubs that give no sign of life. Each hub writes the time into its row ten
 * times a second; a hub is hung when its row has not changed for half a second. Only time that the
 * master itself saw pass counts, so that no hub seems hung after a pause of the whole machine;
 * and not the time in which the hub's thread waited for a CPU (starvation.h). */
#ifndef HUBBUB_FLEET_HEARTBEAT_H
#define HUBBUB_FLEET_HEARTBEAT_H

#include "master/fleet/roster.h"

#define HEARTBEAT_HUNG (500 * INT64_C(1000000)) /* nanoseconds */

/* Looks at every hub of the slot, and applies SILENT, HEARD or HANG_TIMEOUT. elapsed: nanoseconds
 * since the last look. */
void heartbeat_look(struct slot *slot, int64_t elapsed);

/* Counts for how long no hub has served while workers start (fleet.replacing). Called after
 * heartbeat_look of all slots. */
void heartbeat_look_at_fleet(struct fleet *fleet, int64_t elapsed);

#endif
