/* The fleet: one slot per worker process. Forks workers, respawns those that die on the sockets and
 * counters of their slot, drains and stops them.
 *
 *            fork                all hubs ready
 *   EMPTY ----------> STARTING -----------------> READY
 *     ^                  |                          |
 *     | back-off over    | dies                     | dies: at once if it was ready 0.5 s
 *     +--- BACKING_OFF <-+--------------------------+      else after 0.1 s x 2^n, 10 s at most
 *
 *   any living one -- fleet_drain --> DRAINING -- exits --> EMPTY, for good
 *
 * libev callbacks only; nothing here blocks, so that a fork is always safe. */
#ifndef HUBBUB_MASTER_FLEET_H
#define HUBBUB_MASTER_FLEET_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "master/identity.h"
#include "master/sockets.h"
#include "worker/heritage.h"

enum slot_state {
	SLOT_EMPTY,
	SLOT_STARTING,
	SLOT_READY,
	SLOT_DRAINING,
	SLOT_BACKING_OFF,
	SLOT_STATE_MAX
};

struct fleet;

struct slot {
	struct fleet *fleet;
	unsigned index;
	enum slot_state state;
	pid_t pid;
	int channel; /* to the worker; -1 without one */
	ev_io talk;  /* on channel */
	ev_io exit;  /* on the worker's pidfd */
	ev_timer respawn;
	ev_timer healthy; /* a minute of being ready forgives earlier failures */
	unsigned ready_hubs;
	bool is_killed;    /* by fleet_kill, so its death is no news */
	int64_t started;   /* clock at the fork */
	int64_t ready;     /* clock at which its last hub became ready */
	unsigned failures; /* crashes in a row, each before it had been ready for long enough */
};

/* What happens to the fleet that its owner wants to know. */
struct fleet_events {
	void (*all_ready)(void *context); /* once, when every worker serves for the first time */
	void (*all_gone)(void *context);  /* after fleet_drain or fleet_kill: no worker is left */
	void (*hopeless)(void *context);  /* nobody ever served, and a slot has failed too often */
	void *context;
};

struct fleet {
	struct ev_loop *loop;
	struct sockets *sockets; /* borrowed */
	struct counters *counters;
	const struct identity *identity;
	struct worker_heritage
		heritage; /* what all workers get; the rest is filled in per worker */
	struct fleet_events events;
	struct slot *slots;
	unsigned count;
	bool was_ready;  /* all_ready was called */
	bool has_served; /* some worker was ready once */
	bool is_leaving;
	struct worker_row total; /* of workers that are gone */
};

/* Prepares count slots; starts nothing. Returns 0, or -1 with errno ENOMEM. */
int fleet_init(struct fleet *fleet, unsigned count);

/* Forks every worker. A fork that fails is tried again later. */
void fleet_start(struct fleet *fleet);

/* Asks every worker to drain; none is replaced from now on. */
void fleet_drain(struct fleet *fleet);

/* Tells every worker to close all connections and leave. */
void fleet_stop(struct fleet *fleet);

/* Kills every worker at once. */
void fleet_kill(struct fleet *fleet);

/* Connections that are open now in all workers, and everything counted so far. */
uint64_t fleet_open(const struct fleet *fleet);
struct worker_row fleet_total(const struct fleet *fleet);

void fleet_fini(struct fleet *fleet);

#endif
