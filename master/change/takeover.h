/* The new master's part of an upgrade (upgrade.h): it rises, takes over, and lets the old one know
 * when it leaves. */
#ifndef HUBBUB_CHANGE_TAKEOVER_H
#define HUBBUB_CHANGE_TAKEOVER_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "master/base/ear.h"

struct commit;
struct master;

/* The old master. */
struct former {
	pid_t pid;
	int channel; /* -1 without one, and once it is gone */
	struct commit *commit;
	int commit_file; /* names it, for the next master; -1 without */
	/* The former one's with the one before it, which is to stand in for nobody any more; NULL
	 * without. */
	struct commit *elder;
	struct ear talk;
	ev_timer look;  /* at the commit word, from RISEN on */
	bool has_risen; /* RISEN was said, or would have been */
	bool is_dead;   /* before it had handed over */
	bool has_named; /* this master to the service manager */
	bool is_left;   /* LEAVING was said */
	/* What its options said, and what it really ran with. */
	unsigned asked_processes;
	unsigned asked_threads;
	unsigned processes;
	unsigned threads;
	unsigned generations;
};

void takeover_init(struct former *former);

/* Begins to listen to the old one, after handover_inherit. */
void takeover_listen(struct master *master);

/* This master's generation has risen: asks for the GO. */
void takeover_risen(struct master *master);

/* Has the old one write to this master's log, which was reopened. */
void takeover_reopen(struct master *master);

/* This master is about to stop, or was taken over itself: the old one is not to serve again. */
void takeover_leave(struct master *master);

/* The old one is to end at once. */
void takeover_stop(struct master *master);

/* Whether this master, all of whose workers are gone, has to stay, since it has left and the old
 * one still drains: when the service manager's own child ends, all of the service does. */
bool takeover_must_stay(const struct master *master);

/* Whether there is nothing more to hear of the old one's hand-over. */
bool takeover_is_complete(struct master *master);

/* Leaves, and closes what it holds. */
void takeover_fini(struct master *master);

#endif
