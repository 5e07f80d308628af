/* The fleet: all worker processes.
 *
 *	fleet --- serving ---> generation 3: slot 0, slot 1      accept on the seats
 *	      --- rising ----> generation 4: slot 0, slot 1, ... start; take over when all are ready
 *	      --- leaving ---> generation 2: slot 1              drain, until their deadline
 *
 * A slot is one worker process, replaced when it dies, as supervision.h says. A generation is a set
 * of slots with the same configuration. A reload, a change of threads and an upgrade all work the
 * same way: another generation rises on the same sockets; when all its hubs are ready, it takes
 * over (fleet_commit), and the former generation hands over and drains. A generation that cannot
 * rise is dropped, and the serving generation goes on undisturbed.
 *
 * Hub h of slot s sits on seat s * threads + h (sockets.h). This file is the fleet's public
 * interface and its tick; the records are in roster.h.
 *
 * libev callbacks only. Nothing here blocks, and the master has one thread, so fork is always
 * safe. */
#ifndef HUBBUB_FLEET_FLEET_H
#define HUBBUB_FLEET_FLEET_H

#include "master/fleet/rising.h"
#include "master/fleet/roster.h"

/* Prepares an empty fleet and starts its tick. The caller has set loop, sockets, counters and
 * events. Returns 0, or -1 with errno ENOMEM. */
int fleet_init(struct fleet *fleet);

/* Starts the first generation; each of its workers serves as soon as it is ready. Returns 0, or -1
 * with errno ENOMEM. */
int fleet_start(struct fleet *fleet, const struct fleet_config *config);

/* Drops the rising generation, if there is one; events.fell is not called. */
void fleet_abandon(struct fleet *fleet);

/* While the fleet is frozen its workers open no connections, because another master is about to
 * take over. */
void fleet_freeze(struct fleet *fleet, bool is_frozen);

/* Has all workers leave: drain, and serve the queues first, because no server follows
 * (CHANNEL_DRAIN); drain, because another master has the sockets (CHANNEL_HANDOVER); or end
 * connections gracefully at once (CHANNEL_STOP). events.all_gone follows. */
void fleet_leave(struct fleet *fleet, enum channel_kind leave_message);

/* After fleet_leave with CHANNEL_HANDOVER, when the other master has died: starts a new generation
 * on the same sockets. events.all_ready follows. Returns 0, or -1 with errno ENOMEM. */
int fleet_return(struct fleet *fleet, const struct fleet_config *config);

/* This master gets the sockets from another master: empties all seats, and assumes that steering
 * programs are attached. is_order_known: whether the order of the kernel's group is known; without
 * it this master does not steer. */
void fleet_inherit(struct fleet *fleet, bool is_order_known);

/* Whether the fleet has no generation, and so no worker. */
bool fleet_is_gone(const struct fleet *fleet);

/* Tells every worker to end at once, and kills those that have not ended a second later. */
void fleet_kill(struct fleet *fleet);

/* Asks every hub of the serving generation to write its coroutines to the file, which stays the
 * caller's. Returns how many hubs were asked. events.dumped follows for each hub that has written,
 * with the same number, and events.dump_missed for workers that cannot write. */
unsigned fleet_dump(struct fleet *fleet, int file, int64_t number);

/* Sends every worker this master's standard error, after the log was reopened. */
void fleet_reopen(struct fleet *fleet);

/* Sends every worker the file of the access log, which was opened again, or is another; those whose
 * lines go to the log ignore it. 0: there is none any more, and nothing is sent. The fleet borrows
 * it until the next call. */
void fleet_reopen_access(struct fleet *fleet, int file);

/* Handles the death of the child with this pid, if the child is a worker. Returns whether it is. */
bool fleet_reap(struct fleet *fleet, pid_t pid);

/* How many connections are open in all workers, also of other masters. */
uint64_t fleet_open(const struct fleet *fleet);

/* Stops the timers and frees the seats' records. No generation may be left. */
void fleet_fini(struct fleet *fleet);

#endif
