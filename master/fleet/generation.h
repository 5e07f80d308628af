/* A generation: slots with one configuration, from their start to the end of the last. */
#ifndef HUBBUB_FLEET_GENERATION_H
#define HUBBUB_FLEET_GENERATION_H

#include "master/fleet/roster.h"

/* Makes one without slots, and one with as many as the configuration says, all empty. NULL with
 * errno ENOMEM. */
struct generation *generation_new(
	struct fleet *fleet, const struct fleet_config *config, enum generation_phase phase);
struct generation *generation_make(
	struct fleet *fleet, const struct fleet_config *config, enum generation_phase phase);

/* Makes room for so many slots. Returns false without memory, with nothing changed. */
bool generation_reserve(struct generation *generation, unsigned count);

/* Appends empty slots until there are count. Returns false if there is no memory; what was appended
 * stays. */
bool generation_grow(struct generation *generation, unsigned count);

/* Starts its slots from that index on. One that fails may make the whole generation leave. */
void generation_start(struct generation *generation, unsigned from);

/* Puts it among those that leave, once. */
void generation_retire(struct generation *generation);

/* The same, and tells its workers; when they have ended it is gone. */
void generation_leave(struct generation *generation, enum channel_kind leave_message);

/* Of one that leaves: has its workers end at once, and kills those that do not. */
void generation_quit(struct generation *generation);

/* Drops the one that rises, and kills its workers. */
void generation_abandon(struct generation *rising);

/* Frees one whose slots have no process. */
void generation_free(struct generation *generation);

#endif
