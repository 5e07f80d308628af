/* The successor: in the old master of an upgrade, the record of the new one; its start, and what is
 * passed on to it. What becomes of it is upgrade.h's. */
#ifndef HUBBUB_CHANGE_SUCCESSOR_H
#define HUBBUB_CHANGE_SUCCESSOR_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "master/base/ear.h"
#include "master/fleet/fleet.h"

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
	struct ear talk;
	struct ear birth; /* on leash */
	struct ear death; /* on pidfd */
	ev_timer deadline;
	unsigned looks;             /* at the commit word since it was offered, or at whether the
				     * service manager has taken its name */
	bool has_risen;             /* RISEN came */
	bool has_told;              /* TOOK came */
	bool is_named;              /* to the service manager, which has taken the word */
	bool is_to_drain;           /* DRAIN was said */
	struct fleet_config config; /* to serve by again, if it dies */
};

/* Starts the program that is in this one's place now, by a launcher. Returns 0, or -1 with *why;
 * then nothing is left of it. */
int successor_start(struct master *master, const char **why);

/* Why an upgrade fails whose launcher has ended like that; static until the next call. */
const char *successor_explain_death(int status);

/* Its parent from now on is whoever reaps orphans: the service manager, if there is one. */
void successor_let_go(struct successor *successor, struct ev_loop *loop);

/* Closes what is held of it: there is none from now on. */
void successor_forget(struct master *master);

/* This master was told to drain: tells the new one, if that is not the service manager's yet.
 * Returns whether it did. */
bool successor_pass_drain(struct master *master);

/* Has the new one write to this master's log, which was reopened. */
void successor_reopen(struct master *master);

/* Sends the new master, which has taken over, a signal that was sent to this one. Returns whether
 * it did: not to one that is dead. */
bool successor_pass_signal(const struct master *master, int number);

/* The same of so many workers that this master was told to add; below 0: to end. */
bool successor_pass_workers(const struct master *master, int workers);

#endif
