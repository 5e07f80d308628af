/* The successor: in the old master of an upgrade, the record of the new master, its start, and the
 * requests that are passed on to it. The course of the upgrade is in upgrade.h. */
#ifndef HUBBUB_CHANGE_SUCCESSOR_H
#define HUBBUB_CHANGE_SUCCESSOR_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "master/base/ear.h"
#include "master/fleet/fleet.h"
#include "worker/memo.h"

struct commit;
struct master;

enum successor_phase {
	SUCCESSOR_NONE,
	SUCCESSOR_STARTING, /* the new program runs; its workers get ready */
	SUCCESSOR_OFFERED,  /* the commit word was OFFERED */
	SUCCESSOR_SERVING,  /* the new master owns the server; this master drains */
	SUCCESSOR_LEFT,     /* the new master stops, or has handed over itself */
};

/* The new master, as the old master knows it. */
struct successor {
	enum successor_phase phase;
	pid_t pid;             /* 0 until the launcher has sent it */
	int pidfd;             /* -1 until then */
	int channel;           /* to the new master (word.h); -1 without */
	struct commit *commit; /* shared with the new master; NULL without */
	pid_t launcher;        /* 0 once the launcher is reaped */
	int leash;             /* -1 once the launcher was let go */
	struct ear talk;       /* on channel */
	struct ear birth;      /* on leash */
	struct ear death;      /* on pidfd */
	/* Of STARTING; then looks again and again, at the commit word after the offer, or for the
	 * service manager to read the new master's name. */
	ev_timer deadline;
	unsigned looks;             /* of deadline, so far */
	bool has_risen;             /* RISEN came */
	bool has_told;              /* TOOK came, or is not awaited any more */
	bool is_named;              /* NAMED was sent: the service manager has read the name */
	bool is_to_drain;           /* DRAIN was sent */
	char why[MEMO_WHY_SIZE];    /* why the new master cannot take over; "" if it has not said */
	struct fleet_config config; /* to serve by again, if the new master dies */
};

/* Starts the program that is at the path of this program now, by a launcher. Returns 0, or -1 with
 * *why (static text) and everything undone. */
int successor_start(struct master *master, const char **why);

/* Explains why an upgrade failed, by what the new master has said, or the exit status of the
 * launcher. Static text, valid until the next call. */
const char *successor_explain_death(const struct successor *successor, int status);

/* Explains why a new master that is late is given up, by what it has said. Static text, or in the
 * record. */
const char *successor_explain_delay(const struct successor *successor);

/* Lets the launcher end, so that the new master becomes a child of the service manager, or of
 * init. */
void successor_let_go(struct successor *successor, struct ev_loop *loop);

/* Closes and frees everything that belongs to the new master, and sets the phase to
 * SUCCESSOR_NONE. */
void successor_forget(struct master *master);

/* Passes a request to drain on to the new master, unless the service manager knows the new master
 * and asks it directly. Returns whether the request was passed on. */
bool successor_pass_drain(struct master *master);

/* Sends the new master this master's log, after it was reopened. */
void successor_reopen(struct master *master);

/* Passes a signal on to the new master, which has taken over. Returns whether the signal was sent:
 * false if the new master is dead. */
bool successor_pass_signal(const struct master *master, int number);

/* Passes a request for so many more workers on to the new master; fewer if workers is negative.
 * Returns as successor_pass_signal. */
bool successor_pass_workers(const struct master *master, int workers);

#endif
