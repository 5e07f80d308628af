/* What follows for the fleet from what happens to one of its slots: who sits where, who has
 * permits, where connections go, and what becomes of the slot's generation. Those parts do not know
 * of each other; only here, and in fleet.c, they come together. */
#ifndef HUBBUB_FLEET_REACTIONS_H
#define HUBBUB_FLEET_REACTIONS_H

#include "master/fleet/roster.h"

extern const struct slot_events reactions;

#endif
