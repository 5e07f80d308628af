/* The master: what its files share. */
#ifndef HUBBUB_MASTER_MASTER_H
#define HUBBUB_MASTER_MASTER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "master/admin.h"
#include "master/agent.h"
#include "master/control.h"
#include "master/fleet.h"
#include "master/identity.h"
#include "master/options.h"
#include "master/takeover.h"
#include "master/upgrade.h"

enum master_phase {
	MASTER_STARTING,
	MASTER_SERVING,
	MASTER_DELAYING, /* TERM has come; it still accepts, but says that it is not ready */
	MASTER_DRAINING,
	MASTER_HANDED_OVER, /* another master serves; the workers of this one drain */
	MASTER_PHASE_MAX
};

/* What changes while the server runs. One at a time. */
enum master_change { CHANGE_NONE, CHANGE_RELOAD, CHANGE_SCALE, CHANGE_UPGRADE };

struct master {
	const struct hubbub_service *service;
	int argc;
	char **argv;
	struct options options;
	struct options next; /* while a reload rises */
	struct identity identity;
	struct sockets sockets;
	struct counters *counters;
	int counters_file;
	struct fleet fleet;
	struct ev_loop *loop;
	ev_signal signals[9];
	ev_timer delay;   /* --drain-delay */
	ev_timer settled; /* looks whether a change is complete */
	unsigned settled_tries;
	ev_timer again; /* a reload that was asked for during a change */
	ev_timer pat;   /* the service manager's watchdog */
	enum master_phase phase;
	enum master_change change;
	bool is_asked_again; /* HUP came during a change */
	const char *fall;    /* why the generation of the change was dropped; NULL if it was not */
	struct control *control;             /* NULL without */
	struct admin *admins[ADDRESSES_MAX]; /* one for each address of the name; NULL without */
	struct agent *agents[ADDRESSES_MAX];
	int admin_sockets
		[ADDRESSES_MAX]; /* what they will listen on; -1 once they do, or without */
	int agent_sockets[ADDRESSES_MAX];
	int pidfile;
	struct successor successor;
	struct former former;
	bool is_heir;       /* another master has started this one, and has not handed over yet */
	bool is_told_twice; /* TERM came though it had handed over: the next one is meant */
	bool is_stopped;    /* at once */
	int64_t started;    /* seconds since the epoch */
	int exit_code;
};

/* What signals and hubbub-ctl ask for. A change that cannot begin returns -1 with *why (valid until
 * the next call); one that has begun returns 0, and how it ends is told by control_changed, later,
 * unless there was nothing to do: then change is CHANGE_NONE. */
int master_reload(struct master *master, const char **why);
int master_scale(struct master *master, unsigned processes, unsigned threads, const char **why);
int master_upgrade(struct master *master, const char **why);
/* A reload as soon as no other change is under way. */
void master_reload_later(struct master *master);

void master_drain(struct master *master);
void master_stop(struct master *master, int exit_code);

/* ---- between its files ---- */

/* A change has come to its end; why is NULL if it succeeded. */
void master_changed(struct master *master, const char *why);

/* Ends this process if it stops or has handed over, no worker is left, and no other master needs it to stay. */
void master_end_if_gone(struct master *master);

/* Everything is this master's now: it answers, and says that it is ready. */
void master_took_over(struct master *master);

#endif
