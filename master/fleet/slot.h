/* A slot: one worker process, with its fork, messages, death, and the pauses between failures. The
 * slot reports to the rest of the fleet by slot_events alone. */
#ifndef HUBBUB_FLEET_SLOT_H
#define HUBBUB_FLEET_SLOT_H

#include "master/fleet/roster.h"

#define SLOT_MESSAGES_AT_ONCE 64 /* received from one worker in a turn of the loop */

/* Makes an empty slot. NULL with errno ENOMEM. */
struct slot *slot_new(struct generation *generation, unsigned index);

/* Frees a slot, which must have no process. */
void slot_free(struct slot *slot);

/* Applies an event: sets the next state and acts, as the table of supervision.h says. */
void slot_event(struct slot *slot, enum supervision_event event);

/* Tells the worker to leave: by HANDOVER, DRAIN or STOP. */
void slot_leave(struct slot *slot, enum channel_kind leave_message);

/* Kills the slot's process, if there is one. */
void slot_kill(struct slot *slot);

/* Shortens the pause before the slot's next fork to at most so many seconds. */
void slot_hasten(struct slot *slot, double most);

/* Reaps the slot's process if it is dead, and applies the event EXIT; otherwise does nothing. */
void slot_reap(struct slot *slot);

#endif
