/* One worker process: its fork, its messages, its death, and its pauses. What follows for the rest
 * of the fleet it leaves to the fleet's slot_events, and knows nothing of. */
#ifndef HUBBUB_FLEET_SLOT_H
#define HUBBUB_FLEET_SLOT_H

#include "master/fleet/roster.h"

#define SLOT_MESSAGES_AT_ONCE 64 /* that it hears of its worker in a turn of the loop */

/* Makes an empty slot. NULL with errno ENOMEM. */
struct slot *slot_new(struct generation *generation, unsigned index);

/* Frees one without a process. */
void slot_free(struct slot *slot);

/* Lets an event happen to it: supervision.h says what follows. */
void slot_event(struct slot *slot, enum supervision_event event);

/* Tells it to leave, by that message. */
void slot_leave(struct slot *slot, enum channel_kind leave_message);

/* Kills its process, if it has one. */
void slot_kill(struct slot *slot);

/* Sends it a message, with a descriptor unless that is -1. Never waits. Returns whether it was
 * sent. */
bool slot_send(struct slot *slot, const struct channel_message *message, int descriptor);

/* Tells it that it may accept, since its hubs have their seats and permits. */
void slot_accept(struct slot *slot);

/* Has it write to this master's standard error, which is another one than before. */
void slot_reopen(struct slot *slot);

/* Shortens the pause before its next process to at most so many seconds. */
void slot_hasten(struct slot *slot, double most);

/* Tells it what it could not be told before, because it did not read. */
void slot_catch_up(struct slot *slot);

/* Its process is dead: takes note of how. */
void slot_reap(struct slot *slot);

#endif
