/* What the master tells a worker: at once, or at a later tick if the worker does not read. */
#ifndef HUBBUB_FLEET_ORDERS_H
#define HUBBUB_FLEET_ORDERS_H

#include "master/fleet/roster.h"

/* Sends the worker a message, with a file descriptor unless that is -1; the descriptor stays the
 * caller's. Never waits. Returns whether the message was sent. */
bool orders_send(struct slot *slot, const struct channel_message *message, int descriptor);

/* Tells the worker to accept; its hubs must have their seats and permits. */
void orders_accept(struct slot *slot);

/* Sends the worker this master's standard error, or the fleet's access_file, after that log was
 * reopened. */
void orders_reopen(struct slot *slot, enum channel_log log);

/* Sends the log again: the worker had no fd left for it. log is what the worker says, so any
 * number. A lost listener needs no such report: the next tick sends the listener again. */
void orders_reopen_again(struct slot *slot, int64_t log);

/* Sends again the messages that the channel did not take before. */
void orders_catch_up(struct slot *slot);

#endif
