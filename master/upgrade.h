/* Upgrade: the program that is now in this one's place takes over the sockets, as one transaction.
 *
 *	old master                                       new master
 *	  | fork, exec ------------------------------------> options, as at a start
 *	  |                                                  workers start on the same sockets
 *	  | <------------------------------- RISEN --------- every hub is ready
 *	  | its workers open nothing more
 *	  | -------------------------------- GO -----------> its hubs accept; it steers
 *	  | <------------------------------- TOOK ---------- it answers, and says that it is ready
 *	  | its workers drain; it exits
 *
 * Until GO the old one serves as if nothing happened, and until TOOK it can go on as before: if the
 * new one exits, crashes, or is not ready in time, it is killed, and that is all. If it dies later,
 * while the old one drains, the old one closes the sockets, so that nobody waits there in vain. What is handed over is a document (JSON in a memfd, whose
 * number is in HUBBUB_HANDOVER) of descriptors, which survive the exec. */
#ifndef HUBBUB_MASTER_UPGRADE_H
#define HUBBUB_MASTER_UPGRADE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct master;

struct upgrade {
	bool is_heir;    /* this master was started by another one, and has not got its GO */
	bool is_offered; /* the new master got its GO, and has not said TOOK */
	pid_t pid;       /* of the other master; 0 for none */
	int pidfd;       /* of the new one, in the old one; -1 otherwise */
	int channel;     /* to the other master, or -1 */
	ev_io talk;
	ev_io exit;
	ev_timer deadline;
	unsigned asked_processes; /* what the options of the former master said, */
	unsigned asked_threads;
	unsigned processes; /* and what it really ran with */
	unsigned threads;
	unsigned generations;
	int control; /* descriptors that were handed over, or -1 */
	int admin;
	int agent;
	char *control_path;
};

/* In the old master: starts the new one. Returns 0, or -1 with *why. master_changed follows. */
int upgrade_start(struct master *master, const char **why);

/* In the old master: drops a new one that is not ready yet. */
void upgrade_abandon(struct master *master);

/* Handles the death of the new master, if that is its pid. Returns whether it is. */
bool upgrade_reap(struct master *master, pid_t pid);

/* In a new master: whether there is one to take over from. */
bool upgrade_is_heir(void);

/* Takes sockets, counters and all the rest from the document. Returns 0, or -1 after logging. */
int upgrade_inherit(struct master *master);

/* In the new master, when its generation has risen: asks for the GO. */
void upgrade_risen(struct master *master);

/* Closes what it holds. */
void upgrade_fini(struct master *master);

#endif
