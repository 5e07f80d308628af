/* The fleet: all worker processes.
 *
 *	fleet --- serving ---> generation 3: slot 0, slot 1        accept on the seats
 *	      --- rising ----> generation 4: slot 0, slot 1, ...   start; take over when all are ready
 *	      --- leaving ---> generation 2: slot 1                drain, until their deadline
 *
 * A slot is one worker process, replaced when it dies, as supervision.h says. A generation is a set
 * of slots with the same configuration. Reload, change of threads, and upgrade are all the same:
 * another generation rises on the same sockets; when each of its hubs is ready it takes over
 * (fleet_commit), and the former one hands over and drains. If it cannot rise, it is dropped, and
 * the former one never noticed.
 *
 * Hub h of slot s sits on seat s * threads + h (sockets.h). Below this file, which is the fleet's
 * public face and its tick, stand the records (roster.h) and those who act on them.
 *
 * libev callbacks only; nothing here blocks, so that a fork is always safe. */
#ifndef HUBBUB_FLEET_FLEET_H
#define HUBBUB_FLEET_FLEET_H

#include "master/fleet/rising.h"
#include "master/fleet/roster.h"

/* Prepares an empty fleet, whose loop, sockets, counters and events are set. Returns 0, or -1 with
 * errno ENOMEM. */
int fleet_init(struct fleet *fleet);

/* Starts the first generation, which serves as soon as any of it is ready. Returns 0, or -1 with
 * errno. */
int fleet_start(struct fleet *fleet, const struct fleet_config *config);

/* Drops the rising generation, if there is one; events.fell is not called. */
void fleet_abandon(struct fleet *fleet);

/* While it is frozen nobody opens connections: another master is about to. */
void fleet_freeze(struct fleet *fleet, bool is_frozen);

/* All leave: to drain where nobody follows (CHANNEL_DRAIN), where another master took over the
 * sockets (CHANNEL_HANDOVER), or at once but gracefully (CHANNEL_STOP). */
void fleet_leave(struct fleet *fleet, enum channel_kind leave_message);

/* After fleet_leave with CHANNEL_HANDOVER: nobody follows after all, so another generation serves,
 * on the seats of sockets. events.all_ready follows. Returns 0, or -1 with errno. */
int fleet_return(struct fleet *fleet, const struct fleet_config *config);

/* The sockets are another master's no more, which may have steered: nobody sits anywhere yet.
 * Without the order of their group nobody can steer. */
void fleet_inherit(struct fleet *fleet, bool is_order_known);

/* Whether no worker is left, and none is to come. */
bool fleet_is_gone(const struct fleet *fleet);

/* Has every worker end at once, and kills those that do not. */
void fleet_kill(struct fleet *fleet);

/* Has every hub of the serving generation write its coroutines to a file. Returns how many were
 * asked; events.dumped is called for each that has done so, with that number, and
 * events.dump_missed for those that cannot. */
unsigned fleet_dump(struct fleet *fleet, int file, int64_t number);

/* Gives every worker this master's standard error, which is another one than before. */
void fleet_reopen(struct fleet *fleet);

/* Handles the death of a child with that pid, if it is a worker. Returns whether it is one. */
bool fleet_reap(struct fleet *fleet, pid_t pid);

/* Connections that are open now in all workers. */
uint64_t fleet_open(const struct fleet *fleet);

void fleet_fini(struct fleet *fleet);

#endif
