/* Finds hubs that give no sign of life. Each hub writes the time into its row ten times a second; a
 * hub is hung when half a second has passed in which the master saw no new one. Only time that the
 * master itself has seen pass counts, so that a pause of the whole machine accuses nobody. */
#ifndef HUBBUB_FLEET_HEARTBEAT_H
#define HUBBUB_FLEET_HEARTBEAT_H

#include "master/fleet/roster.h"

#define HEARTBEAT_HUNG (500 * INT64_C(1000000)) /* nanoseconds */

/* Looks at every hub of a slot; elapsed nanoseconds have passed since the last look. */
void heartbeat_look(struct slot *slot, int64_t elapsed);

/* The same of the whole fleet, once all its slots were looked at: counts for how long nobody has
 * served while workers start. */
void heartbeat_look_at_fleet(struct fleet *fleet, int64_t elapsed);

#endif
