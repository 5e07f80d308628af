/* Upgrade, in the old master: the program that is now in this one's place takes over the sockets,
 * as one transaction. takeover.h is the new master's part of it.
 *
 *	old master              commit word              new master
 *	  | fork, fork, exec ----------------------------> options, as at a start
 *	  |                     PREPARING                  workers start on the same sockets
 *	  | <------------------------------ RISEN -------- every hub is ready
 *	  | grants no permit, closes its doors
 *	  | swaps in            OFFERED
 *	  | ------------------------------- GO ---------->
 *	  |                     TAKEN <------------------- swaps; its hubs accept, it opens its doors
 *	  | <------------------------------ TOOK ---------
 *	  | its workers drain; it names the new one to the service manager, whose child that is by now,
 *	  | and stays until the manager has room for that
 *	  | ------------------------------- NAMED -------> says that it is ready
 *	  |                                                  ...
 *	  |                     LEFT <-------------------- swaps, when it stops, or was taken over itself
 *	  | <------------------------------ LEAVING ------
 *	  | closes the sockets, which it kept till then
 *
 * The commit point is one compare-and-swap of a word in memory that both share (commit.h): OFFERED
 * becomes TAKEN by the new master, or WITHDRAWN by the old one, never both. So a pause of either,
 * however long, decides nothing by itself; messages only wake the other one up, and each deadline
 * looks at the channel and at the word first.
 *
 * Until the word is TAKEN the old master serves, and goes on if the new one exits, crashes, or is
 * not ready in time. If the old one dies before it, the new one takes over as soon as it is ready.
 * From TAKEN on the new one serves; if it dies while the old one drains, the old one swaps TAKEN
 * for RETAKEN, starts workers on the same sockets and serves again. Of three masters, each of which
 * may die, the last one leaves the first one's word when it has taken over. tests/model/upgrade.pml
 * has both masters, and what may befall them. */
#ifndef HUBBUB_CHANGE_UPGRADE_H
#define HUBBUB_CHANGE_UPGRADE_H

#include <stdbool.h>
#include <sys/types.h>

#include "master/change/successor.h"

struct master;

void upgrade_init(struct successor *successor);

/* Starts the new master. Returns 0, or -1 with *why. upgrade_events.ended follows. */
int upgrade_start(struct master *master, const char **why);

/* Drops a new one, unless that has taken over; then the phase is MASTER_HANDED_OVER. */
void upgrade_abandon(struct master *master);

/* Handles the death of the launcher, if that is its pid; with 0, if it has died. Returns whether
 * it is its pid; with 0, whether there was one. */
bool upgrade_reap(struct master *master, pid_t pid);

/* Whether the new one has taken over, but has not opened its doors yet, or is not yet named to the
 * service manager. So long this one stays, even without a worker. */
bool upgrade_must_stay(const struct master *master);

/* Closes what it holds. */
void upgrade_fini(struct master *master);

#endif
