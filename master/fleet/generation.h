/* A generation: slots with one configuration, from their start to the end of the last worker. */
#ifndef HUBBUB_FLEET_GENERATION_H
#define HUBBUB_FLEET_GENERATION_H

#include "master/fleet/roster.h"

/* Makes a generation: generation_new without slots, generation_make with the number of empty slots
 * that the configuration says. Both return NULL with errno ENOMEM. */
struct generation *generation_new(
	struct fleet *fleet, const struct fleet_config *config, enum generation_phase phase);
struct generation *generation_make(
	struct fleet *fleet, const struct fleet_config *config, enum generation_phase phase);

/* Makes room for count slots. Returns false if there is no memory, with nothing changed. */
bool generation_reserve(struct generation *generation, unsigned count);

/* Appends empty slots until there are count. Returns false if there is no memory; slots appended
 * before that stay. */
bool generation_grow(struct generation *generation, unsigned count);

/* Starts the slots from this index on. A slot that fails may make the whole generation leave; then
 * the rest are not started. */
void generation_start(struct generation *generation, unsigned from);

/* Tells every worker how many the generation has (worker/memo.h). */
void generation_tell_shape(struct generation *generation);

/* Moves the generation to the list of leaving generations. Does nothing the second time. */
void generation_retire(struct generation *generation);

/* As generation_retire, and tells the workers to leave by this message. The fleet frees the
 * generation after its last worker has ended. */
void generation_leave(struct generation *generation, enum channel_kind leave_message);

/* For a leaving generation: tells the workers to end at once, and kills those that have not ended a
 * second later. */
void generation_quit(struct generation *generation);

/* Drops the rising generation and kills its workers; those of a service with stop hooks have until
 * the deadline to run them. */
void generation_abandon(struct generation *rising);

/* Frees the generation and its slots, none of which may have a process. */
void generation_free(struct generation *generation);

#endif
