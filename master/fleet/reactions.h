/* The fleet's reactions to the events of a slot: changes of seats, permits and steering, and of the
 * slot's generation. These parts do not call each other; only the reactions, fleet.c and rising.c
 * combine them. */
#ifndef HUBBUB_FLEET_REACTIONS_H
#define HUBBUB_FLEET_REACTIONS_H

#include "master/fleet/roster.h"

/* To be set as fleet.slot_events. */
extern const struct slot_events reactions;

#endif
