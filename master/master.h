/* The master: what its files share. */
#ifndef HUBBUB_MASTER_MASTER_H
#define HUBBUB_MASTER_MASTER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "master/fleet/fleet.h"
#include "master/start/options.h"
#include "master/start/privileges.h"

struct admin;
struct agent;
struct control;
struct former;
struct master;
struct successor;

#define MASTER_PATH_SIZE 108 /* as a Unix socket's */

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

/* What signals asked for when it could not be done: while the server starts, or during a change. */
struct pending {
	bool reload;
	bool upgrade;
	int workers; /* so many more; fewer if it is negative */
};

/* What becomes of a change; set by whoever wants to know. */
struct change_events {
	void (*ended)(struct master *master, const char *why); /* why is NULL if it succeeded */
};

/* What happens in an upgrade, and what the other master asks for; set by main.c. */
struct upgrade_events {
	/* In the old master. The server is offered: it may be the new one's at any moment. Then it
	 * is handed over, or kept, also once it was taken back; at last the new one needs this one
	 * for nothing more. The upgrade ends; why is NULL if it succeeded. */
	void (*offered)(struct master *master);
	void (*kept)(struct master *master);
	void (*handed_over)(struct master *master);
	void (*released)(struct master *master);
	void (*ended)(struct master *master, const char *why);
	/* In the new master. */
	void (*took_over)(struct master *master);
	/* The old one was told to reopen the log, and so was this one: to be passed on. */
	void (*reopened)(struct master *master);
	/* The old one was told to have so many workers more. */
	void (*add_workers)(struct master *master, int workers);
	/* In both. Nothing is left to be said to the other master. The other master was told to
	 * drain or to stop, and this one is to do so; or it is hopeless, and this one is to
	 * stop. */
	void (*may_end)(struct master *master);
	void (*drain)(struct master *master);
	void (*stop)(struct master *master, int exit_code);
};

#define HANDED_ON_NONE                                                                             \
	{                                                                                          \
		.control = -1, .admins = {[0 ... ADDRESSES_MAX - 1] = -1},                         \
		.agents = {[0 ... ADDRESSES_MAX - 1] = -1}, .pidfile = -1, .counters = -1,         \
	}

/* What stays open whoever is the master, and is handed on in an upgrade: filled in by the doors in
 * the first master, and from the handover in each other one. Each is -1 without. */
struct handed_on {
	int control; /* listens, as admins and agents do; whoever answers there owns it */
	char control_path[MASTER_PATH_SIZE];
	struct path_identity control_file; /* none if a former master did not tell */
	int admins[ADDRESSES_MAX];
	int agents[ADDRESSES_MAX];
	int pidfile;  /* locked */
	int counters; /* the file of them */
};

struct master {
	const struct hubbub_service *service;
	int argc;
	char **argv;
	struct options options;
	struct options next; /* while a reload rises */
	struct privileges privileges;
	struct sockets sockets;
	struct counters *counters;
	struct fleet fleet;
	struct ev_loop *loop;
	ev_signal signals[9];
	ev_timer delay;   /* --drain-delay */
	ev_timer settled; /* looks whether a change is complete */
	unsigned settled_tries;
	ev_timer again;         /* does what is pending */
	ev_timer watchdog_ping; /* the service manager's watchdog */
	ev_timer watch;         /* looks whether what was said of readiness is still true */
	ev_timer tell;          /* the service manager, how it serves */
	bool is_said_ready;
	bool is_said_live;
	ev_timer keys; /* looks whether those of session tickets are to change */
	ev_timer look; /* whether files are still this server's */
	enum master_phase phase;
	enum master_change change;
	struct pending pending;
	const char *fall; /* why the generation of the change was dropped; NULL if it was not */
	struct change_events change_events;
	struct handed_on handed_on;
	struct control *control;             /* NULL without */
	struct admin *admins[ADDRESSES_MAX]; /* one for each address of the name; NULL without */
	struct agent *agents[ADDRESSES_MAX];
	struct upgrade_events upgrade_events;
	struct successor *successor; /* borrowed, as the next */
	struct former *former;
	bool is_successor; /* another master has started this one, and has not handed over yet */
	bool second_term;  /* TERM came though it had handed over: the next one is meant */
	bool is_stopped;   /* at once */
	int64_t started;   /* seconds since the epoch */
	int exit_code;
};

#endif
