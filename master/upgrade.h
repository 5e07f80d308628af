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
#ifndef HUBBUB_MASTER_UPGRADE_H
#define HUBBUB_MASTER_UPGRADE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "master/fleet.h"

struct commit;
struct master;

enum successor_phase {
	SUCCESSOR_NONE,
	SUCCESSOR_STARTING,
	SUCCESSOR_OFFERED,
	SUCCESSOR_SERVING,
	SUCCESSOR_LEFT, /* it is stopping, or another one's old master */
};

/* In the old master: the new one. */
struct successor {
	enum successor_phase phase;
	pid_t pid; /* 0 until the launcher has told it, and without one */
	int pidfd; /* -1 likewise */
	int channel;
	struct commit *commit;
	pid_t launcher; /* its parent until it has taken over; 0 once that is reaped */
	int leash;      /* the launcher's; -1 once it was let go */
	ev_io talk;
	ev_io birth; /* on leash */
	ev_io death; /* on pidfd */
	ev_timer deadline;
	unsigned looks;             /* at the commit word since it was offered, or at whether the
				     * service manager has taken its name */
	bool has_risen;             /* RISEN came */
	bool has_told;              /* TOOK came */
	bool is_named;              /* to the service manager, which has taken the word */
	bool is_to_drain;           /* DRAIN was said */
	struct fleet_config config; /* to serve by again, if it dies */
};

void upgrade_init(struct successor *successor);

/* Starts the new master. Returns 0, or -1 with *why. upgrade_events.ended follows. */
int upgrade_start(struct master *master, const char **why);

/* Drops a new one, unless that has taken over; then the phase is MASTER_HANDED_OVER. */
void upgrade_abandon(struct master *master);

/* Handles the death of the launcher, if that is its pid. Returns whether it is. */
bool upgrade_reap(struct master *master, pid_t pid);

/* This master was told to drain: tells the new one, if that is not the service manager's yet.
 * Returns whether it did. */
bool upgrade_pass_drain(struct master *master);

/* Whether the new one has taken over, but has not opened its doors yet, or is not yet named to the
 * service manager. So long this one stays, even without a worker. */
bool upgrade_must_stay(const struct master *master);

/* Closes what it holds. */
void upgrade_fini(struct master *master);

#endif
