/* Upgrade, in the old master: the program that is now at this program's path takes over the
 * sockets, as one transaction. The new master's part is in takeover.h.
 *
 *	old master            commit word            new master
 *	  | fork, fork, exec ------------------------> reads options, as at a start
 *	  |                   PREPARING                workers start on the same sockets
 *	  | <--------------------------- RISEN ------- every hub is ready
 *	  | grants no permits, closes its doors
 *	  | swaps in          OFFERED
 *	  | ---------------------------- GO --------->
 *	  |                   TAKEN <----------------- swaps; hubs accept, doors open
 *	  | <--------------------------- TOOK --------
 *	  | workers drain; names the new master, the service manager's child by now, to the
 *	  | manager, and stays until the manager has read the name
 *	  | ---------------------------- NAMED ------> tells the manager that it is ready
 *	  |                                              ...
 *	  |                   LEFT <------------------ swaps, when it stops or has handed over
 *	  | <--------------------------- LEAVING -----
 *	  | closes the sockets, which it had kept
 *
 * The commit point is one compare-and-swap of the word (commit.h): OFFERED becomes TAKEN by the new
 * master, or WITHDRAWN by the old master, never both. So a pause of either master, however long,
 * decides nothing by itself. Messages only wake the other master, and each deadline reads the
 * channel and the word first.
 *
 * Until the word is TAKEN the old master serves, and it serves on if the new master exits, crashes,
 * or is not ready in time. If the old master dies before that, the new master takes over once it is
 * ready. From TAKEN on the new master serves. If the new master dies while the old master drains,
 * the old master swaps TAKEN for RETAKEN, starts workers on the same sockets and serves again. Of
 * three masters, each of which may die, the third sets the first one's word to LEFT when it takes
 * over. tests/model/upgrade.pml models both masters, their pauses and their deaths. */
#ifndef HUBBUB_CHANGE_UPGRADE_H
#define HUBBUB_CHANGE_UPGRADE_H

#include <stdbool.h>
#include <sys/types.h>

#include "master/change/successor.h"

struct master;

/* Prepares a record without a new master. */
void upgrade_init(struct successor *successor);

/* Starts the new master; upgrade_events.ended follows. Returns 0, or -1 with *why (static text) and
 * nothing started. */
int upgrade_start(struct master *master, const char **why);

/* Withdraws the upgrade and kills the new master, unless the new master has taken over; then the
 * phase is MASTER_HANDED_OVER. */
void upgrade_abandon(struct master *master);

/* Handles the death of the launcher, if pid is the launcher's. With pid 0: looks whether the
 * launcher has died. Returns whether pid is the launcher's; with pid 0, whether there was a
 * launcher. */
bool upgrade_reap(struct master *master, pid_t pid);

/* Whether this master must stay, even without workers: the new master has taken over, but has not
 * opened its doors yet (TOOK), or is not yet named to the service manager. */
bool upgrade_must_stay(const struct master *master);

/* Closes and frees everything that belongs to the new master. */
void upgrade_fini(struct master *master);

#endif
