/* What follows for the fleet from what happens to one of its slots: who sits where, who has
 * permits, where connections go, and what becomes of the slot's generation. The only place that
 * knows of all these; they do not know of each other. */
#ifndef HUBBUB_MASTER_REACTIONS_H
#define HUBBUB_MASTER_REACTIONS_H

#include "master/roster.h"

extern const struct slot_events reactions;

#endif
