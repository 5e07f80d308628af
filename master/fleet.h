/* The fleet: all worker processes.
 *
 *	fleet --- serving ---> generation 3: slot 0, slot 1        accept on the seats
 *	      --- rising ----> generation 4: slot 0, slot 1, ...   start; take over when all are ready
 *	      --- leaving ---> generation 2: slot 1                drain, until their deadline
 *
 * A slot is one worker process, replaced when it dies, as supervision.h says. A generation is a set
 * of slots with the same configuration. Reload, change of threads, and upgrade are all the same:
 * another generation rises on the same sockets; when each of its hubs is ready it takes over
 * (fleet_commit), and the former one hands over and drains. If it cannot rise, it is dropped, and
 * the former one never noticed.
 *
 * Hub h of slot s sits on seat s * threads + h (sockets.h). seating.c knows who sits where, steers
 * and adopts; permits.c gives out the right to accept; heartbeat.c finds hubs that hang.
 *
 * libev callbacks only; nothing here blocks, so that a fork is always safe. */
#ifndef HUBBUB_MASTER_FLEET_H
#define HUBBUB_MASTER_FLEET_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/base/clock.h"
#include "master/sockets.h"
#include "master/supervision.h"
#include "worker/channel.h"
#include "worker/heritage.h"

#define FLEET_TICK 0.05 /* seconds */
/* A longer time between two ticks means that the master did not run, or nobody did. */
#define FLEET_SEEN_MOST (2 * (int64_t)(FLEET_TICK * (double)CLOCK_SECOND))

struct fleet;
struct generation;

/* What the master knows of one hub. */
struct slot_hub {

	bool is_hung;      /* it gives no sign of life */
	int64_t heartbeat; /* the last that was seen */
	int64_t silent;    /* nanoseconds without another, of those that the master saw pass */
	uint64_t busy_seen;
	double busy; /* share of the time, lately */
};

struct slot {
	struct generation *generation;
	unsigned index;
	enum supervision_state state;
	pid_t pid; /* 0 without a process, like all that follows */
	int pidfd;
	int channel;
	struct worker_row *rows; /* one per hub; NULL without */
	struct slot_hub *hubs;
	bool must_accept; /* it is to be told so, or to leave; again at each tick until it hears */
	bool must_leave;
	int64_t capacity; /* connections that its file limit allows */
	int64_t granted;  /* permits that its hubs and connections have */
	ev_io talk;       /* on channel */
	ev_io exit;       /* on pidfd */
	ev_timer respawn;
	ev_timer healthy;           /* a minute of being ready forgives earlier failures */
	enum channel_kind farewell; /* what it is told when it is to leave */
	bool is_killed;             /* by the master, so its death is no news */
	int64_t started;            /* clock at the fork */
	int64_t ready;              /* clock at which its last hub became ready */
	unsigned failures; /* crashes in a row, each before it had been ready for long enough */
};

/* What a generation is made by. */
struct fleet_config {
	unsigned processes;
	unsigned threads;
	struct worker_heritage
		heritage;         /* what all workers get; the rest is filled in per worker */
	int64_t drain_timeout;    /* nanoseconds */
	int64_t hang_timeout;     /* the same; 0 for none */
	uint64_t max_connections; /* 0 for as many as the file limit allows */
	bool balances;            /* by load; else by the kernel's hash */
};

enum generation_phase { GENERATION_RISING, GENERATION_SERVING, GENERATION_LEAVING };

struct generation {
	struct fleet *fleet;
	struct generation *next; /* among those that leave */
	unsigned number;
	enum generation_phase phase;
	struct fleet_config config;
	struct slot **slots; /* owned */
	unsigned count;
	int64_t seen;      /* nanoseconds that the master saw it rise */
	ev_timer deadline; /* for leaving: first connections are closed, then workers are killed */
	bool is_stopped;
};

/* Who accepts on a seat. */
struct occupant {
	struct slot *slot; /* NULL for nobody */
	unsigned hub;
	bool is_retiring;    /* no hub will sit here: parked as soon as nobody is queued */
	int64_t empty_since; /* clock, while it has no occupant and an empty queue; 0 otherwise */
	unsigned queued;     /* at the last tick */
	unsigned weight;     /* share of new connections */
	bool has_datagrams;  /* the program for datagrams knows it as one that answers */
};

/* What happens to the fleet that its owner wants to know. */
struct fleet_events {
	void (*all_ready)(void *context); /* once, when every worker serves for the first time */
	void (*risen)(void *context);     /* the rising generation is ready for fleet_commit */
	void (*fell)(void *context, const char *why); /* it was dropped */
	void (*all_gone)(void *context);              /* after fleet_leave: no worker is left */
	void (*hopeless)(void *context); /* nobody ever served, and a slot has failed too often */
	void (*dumped)(void *context, int64_t number); /* a hub has written its coroutines */
	void *context;
};

struct fleet {
	struct ev_loop *loop;
	struct sockets *sockets;   /* borrowed */
	struct counters *counters; /* borrowed */
	struct fleet_events events;
	struct generation *serving; /* NULL before the start, and once it leaves */
	struct generation *rising;
	struct generation *leaving; /* a list */
	struct occupant *occupants; /* [SOCKETS_SEATS_MAX] */
	ev_timer tick;
	ev_timer
		sweep; /* frees generations that are gone, outside of what happens to their slots */
	int64_t ticked; /* clock of the last tick */
	unsigned ticks;
	unsigned generations; /* made so far, also by earlier masters */
	bool is_frozen;    /* another master is about to take over: nothing is granted or steered */
	uint64_t accepted; /* by all hubs, at the last tick */
	double arrivals;   /* per tick, lately */
	bool can_steer;
	bool is_steered; /* a program is attached */
	unsigned
		datagram_seats; /* of which the program for datagrams knows; 0: there is none yet */
	bool was_ready;         /* all_ready was called */
	bool has_served;        /* some worker was ready once */
	bool is_leaving;
};

/* Prepares an empty fleet, whose loop, sockets, counters and events are set. Returns 0, or -1 with
 * errno ENOMEM. */
int fleet_init(struct fleet *fleet);

/* Starts the first generation, which serves as soon as any of it is ready. Returns 0, or -1 with errno. */
int fleet_start(struct fleet *fleet, const struct fleet_config *config);

/* Starts a generation that is to take the place of the present one: events.risen or events.fell
 * follows. Returns 0, or -1 with *why set (static) and nothing done. */
int fleet_rise(struct fleet *fleet, const struct fleet_config *config, const char **why);

/* The risen generation takes over; the former one drains. */
void fleet_commit(struct fleet *fleet);

/* Drops the rising generation, if there is one; events.fell is not called. */
void fleet_abandon(struct fleet *fleet);

/* Changes the number of slots of the serving generation. Returns 0, or -1 with *why. */
int fleet_resize(struct fleet *fleet, unsigned processes, const char **why);

/* While it is frozen nobody opens connections: another master is about to. */
void fleet_freeze(struct fleet *fleet, bool is_frozen);

/* Whether every slot of the serving generation serves, and none rises. */
bool fleet_is_steady(const struct fleet *fleet);

/* How many hubs accept now. */
unsigned fleet_accepting(const struct fleet *fleet);

/* All leave: to drain where nobody follows (CHANNEL_DRAIN), where another master took over the
 * sockets (CHANNEL_HANDOVER), or at once but in order (CHANNEL_STOP). */
void fleet_leave(struct fleet *fleet, enum channel_kind farewell);

/* After fleet_leave with CHANNEL_HANDOVER: nobody follows after all, so another generation serves, on the seats of
 * sockets. events.all_ready follows. Returns 0, or -1 with errno. */
int fleet_return(struct fleet *fleet, const struct fleet_config *config);

/* Whether no worker is left, and none is to come. */
bool fleet_is_gone(const struct fleet *fleet);

/* Kills every worker at once. */
void fleet_kill(struct fleet *fleet);

/* Has every hub of the serving generation write its coroutines to a file. Returns how many were
 * asked; events.dumped is called for each that has done so, with that number. */
unsigned fleet_dump(struct fleet *fleet, int file, int64_t number);

/* Gives every worker another standard error. */
void fleet_reopen(struct fleet *fleet, int file);

/* Handles the death of a child with that pid, if it is a worker. Returns whether it is one. */
bool fleet_reap(struct fleet *fleet, pid_t pid);

/* Connections that are open now in all workers. */
uint64_t fleet_open(const struct fleet *fleet);

void fleet_fini(struct fleet *fleet);

/* ---- between the files of the fleet ---- */

/* How much of the time since the last tick the master saw pass. */
static inline int64_t
fleet_seen(int64_t elapsed)
{
	return elapsed < FLEET_SEEN_MOST ? elapsed : FLEET_SEEN_MOST;
}

/* Calls visit for each slot of each generation. */
void fleet_each(
	struct fleet *fleet, void (*visit)(struct slot *slot, void *context), void *context);

/* A slot has become ready; is dead for good; has failed, and a pause has begun unless it is a rising one. */
void fleet_slot_ready(struct slot *slot);
void fleet_slot_gone(struct slot *slot);
void fleet_slot_failed(struct slot *slot);

#endif
