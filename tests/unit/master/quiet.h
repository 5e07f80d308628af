/* A quiet master: one whose generation serves, but has no worker, so that nothing forks, and all of
 * master/ above the fleet can be called. It listens on a free port of loopback. */
#ifndef HUBBUB_TESTS_UNIT_MASTER_QUIET_H
#define HUBBUB_TESTS_UNIT_MASTER_QUIET_H

#include "master/change/takeover.h"
#include "master/change/upgrade.h"
#include "master/master.h"

struct quiet {
	struct master master;
	struct successor successor;
	struct former former;
	struct slot slot; /* stands for a worker where there is to be one */
	struct slot *slots;
	struct slot_hub hub; /* its hub, which lives */
	struct worker_row row;
	struct worker_memo memo;
	/* What change_events.ended told. */
	unsigned ended;
	const char *why;
};

/* Makes one of 2 x 1, in its loop; no change is under way. */
void quiet_set(struct quiet *quiet);

/* Makes one that is as a new master before handover_inherit: without sockets, generation,
 * counters. */
void quiet_set_new(struct quiet *quiet);

/* A hub accepts on its first seat, or no more. */
void quiet_accept(struct quiet *quiet, bool accepts);

/* It has one worker, which is ready, or none again. With one, a change to 1 x 1 is none for the
 * fleet, so that it begins, and ends when the master looks. */
void quiet_lend(struct quiet *quiet, bool is_there);

/* Runs its loop until done(quiet), or for two seconds. Returns whether that came true. */
bool quiet_run(struct quiet *quiet, bool (*done)(const struct quiet *quiet));

bool quiet_has_ended(const struct quiet *quiet);

void quiet_clear(struct quiet *quiet);

#endif
