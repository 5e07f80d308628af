/* The take-over: the new master's part of an upgrade (upgrade.h). The new master rises, takes over,
 * and tells the old master when it leaves. */
#ifndef HUBBUB_CHANGE_TAKEOVER_H
#define HUBBUB_CHANGE_TAKEOVER_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "master/base/ear.h"

struct commit;
struct master;

/* The old master, as the new master knows it. */
struct former {
	pid_t pid;
	int channel; /* to the old master (word.h); -1 without, and once the old master is gone */
	struct commit *commit; /* shared with the old master; NULL without */
	int commit_file;       /* of that word, for the next master; -1 without */
	/* The word that the old master shares with the master before it; NULL without. That master
	 * must not serve again. */
	struct commit *elder;
	struct ear talk; /* on channel */
	ev_timer look;   /* at the commit word, from RISEN on */
	bool has_risen;  /* the workers are ready; RISEN was sent, unless the old master is dead */
	bool is_dead;    /* the old master died before it handed over */
	bool has_named;  /* NAMED came: the service manager knows this master */
	bool is_left;    /* LEAVING was sent */
	/* The shape that the old master's options ask for, and the shape that it ran with. */
	unsigned asked_processes;
	unsigned asked_threads;
	unsigned processes;
	unsigned threads;
	unsigned generations; /* made so far, by all earlier masters */
};

/* Prepares a record without an old master. */
void takeover_init(struct former *former);

/* Begins to watch the channel, after handover_inherit. */
void takeover_listen(struct master *master);

/* This master's generation has risen: asks the old master for GO. */
void takeover_risen(struct master *master);

/* This master cannot take over: logs why, and tells the old master. */
void takeover_fail(const struct master *master, const char *why);

/* Sends the old master this master's log, after it was reopened. */
void takeover_reopen(struct master *master);

/* This master is about to stop, or has handed over itself: keeps the old master from serving
 * again. */
void takeover_leave(struct master *master);

/* Tells the old master to end at once. */
void takeover_stop(struct master *master);

/* Whether this master, whose workers are gone, must stay because the old master still drains: when
 * the main process ends, the service manager ends the whole service. */
bool takeover_must_stay(const struct master *master);

/* Whether the old master's hand-over is complete: NAMED came, or the old master is gone. */
bool takeover_is_complete(struct master *master);

/* Leaves, and closes and frees everything that belongs to the old master. */
void takeover_fini(struct master *master);

#endif
