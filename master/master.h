/* The master: the record that all files above the fleet share. */
#ifndef HUBBUB_MASTER_MASTER_H
#define HUBBUB_MASTER_MASTER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "hub/base/list.h"
#include "master/fleet/fleet.h"
#include "master/start/options.h"
#include "master/start/privileges.h"

struct admin;
struct agent;
struct control;
struct former;
struct master;
struct successor;

#define MASTER_PATH_SIZE 108 /* bytes, as sun_path has */

enum master_phase {
	MASTER_STARTING,
	MASTER_SERVING,
	MASTER_DELAYING,    /* TERM came: the server still accepts, but reports not to be ready */
	MASTER_DRAINING,    /* also while it stops at once */
	MASTER_HANDED_OVER, /* another master serves; this master's workers drain */
	MASTER_PHASE_MAX
};

/* Changes of the running server, one at a time. */
enum master_change { CHANGE_NONE, CHANGE_RELOAD, CHANGE_SCALE, CHANGE_UPGRADE };

/* Requests by signal that came while the server started, or during a change. */
struct pending {
	bool reload;
	bool upgrade;
	int workers; /* to add; negative to remove */
};

/* Events of changes; set by the doors. */
struct change_events {
	void (*ended)(struct master *master, const char *why); /* why is NULL if it succeeded */
};

/* Events of an upgrade, and requests of the other master; set by main.c. */
struct upgrade_events {
	/* In the old master. */
	void (*offered)(struct master *master);     /* the new master may take over any moment */
	void (*kept)(struct master *master);        /* withdrawn, or retaken: this master serves */
	void (*handed_over)(struct master *master); /* the new master owns the server */
	void (*released)(struct master *master);    /* the new master has left: no way back */
	void (*ended)(struct master *master, const char *why); /* why is NULL on success */
	/* In the new master. */
	void (*took_over)(struct master *master);
	void (*reopened)(struct master *master); /* REOPEN came: pass it on to a third master */
	void (*add_workers)(struct master *master, int workers); /* the old master was told to */
	/* In both masters. */
	void (*may_end)(struct master *master); /* no more words to the other master are due */
	void (*drain)(struct master *master);   /* the other master was told to drain */
	void (*stop)(struct master *master, int exit_code); /* told so, or the upgrade is lost */
};

#define HANDED_ON_NONE                                                                             \
	{                                                                                          \
		.control = -1, .admins = {[0 ... ADDRESSES_MAX - 1] = -1},                         \
		.agents = {[0 ... ADDRESSES_MAX - 1] = -1}, .pidfile = -1, .counters = -1,         \
		.tally = -1,                                                                       \
	}

/* What is handed on in an upgrade, besides the sockets: filled in by the doors in the first master,
 * and by the handover in each later master. Each file descriptor is -1 if there is none. */
struct handed_on {
	int control; /* listens, as admins and agents do; its owner is the master that accepts */
	char control_path[MASTER_PATH_SIZE];
	struct path_identity control_file; /* zero if an older release did not pass it */
	int admins[ADDRESSES_MAX];
	int agents[ADDRESSES_MAX];
	int pidfile;  /* locked */
	int counters; /* the memory of master.counters */
	int tally;    /* the memory of master.tally */
};

struct master {
	const struct hubbub_service *service;
	int argc;
	char **argv;
	struct options options;
	struct options next; /* while a reload rises */
	struct privileges privileges;
	struct sockets sockets;
	/* [sockets.address_count]: the named listener that serves each address, or NULL. */
	const struct hubbub_listener *listeners[ADDRESSES_MAX];
	struct counters *counters;
	struct tally *tally; /* NULL until there is a limit of connections per peer */
	struct fleet fleet;
	struct ev_loop *loop;
	ev_signal signals[9];
	ev_timer delay;         /* --drain-delay */
	ev_timer settled;       /* looks whether a change is complete */
	unsigned settled_tries; /* of settled, so far in this change */
	ev_timer again;         /* begins pending changes */
	ev_timer watchdog_ping; /* pings the service manager's watchdog */
	ev_timer watch;         /* compares readiness with what was last reported */
	ev_timer tell;          /* sends the service manager a line of status */
	bool is_said_ready;     /* as last reported */
	bool is_said_live;      /* as last reported */
	ev_timer keys;          /* rotates the keys of session tickets */
	ev_timer look;          /* checks whether the pid file and Unix sockets are still ours */
	enum master_phase phase;
	enum master_change change;
	struct pending pending;
	const char *fall; /* why the rising generation was dropped; NULL if it was not */
	struct change_events change_events;
	struct handed_on handed_on;
	struct control *control;             /* NULL without */
	struct admin *admins[ADDRESSES_MAX]; /* one for each address of the name; NULL without */
	struct agent *agents[ADDRESSES_MAX]; /* likewise */
	struct list asks; /* commands of the service's own that are under way (face/ask.h) */
	struct upgrade_events upgrade_events;
	struct successor *successor; /* borrowed */
	struct former *former;       /* borrowed */
	bool is_successor;           /* this is a new master that has not taken over yet */
	bool second_term; /* after the hand-over TERM came once: the next TERM stops this master */
	bool is_stopped;  /* master_stop was called */
	int64_t started;  /* seconds since the epoch */
	int exit_code;
};

#endif
