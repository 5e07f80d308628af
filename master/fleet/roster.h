/* The roster: the records of the fleet, of its generations, their slots, and who occupies which
 * seat, with the questions that are asked of them. It knows of workers only what is written here,
 * and does nothing to them: the other files of the fleet read and write these records, and stand
 * above this one.
 *
 *	fleet --- serving, rising, leaving ---> generation ---> slot ---> its hubs
 *	      --- occupants, one per seat ------------------------------> slot, hub
 *
 * A slot's rows are there as long as its process, and until all have heard of its death. */
#ifndef HUBBUB_FLEET_ROSTER_H
#define HUBBUB_FLEET_ROSTER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/base/clock.h"
#include "master/base/ear.h"
#include "master/fleet/supervision.h"
#include "master/sockets/sockets.h"
#include "worker/channel.h"
#include "worker/heritage.h"

#define FLEET_TICK 0.05 /* seconds */
/* A longer time between two ticks means that the master did not run, or nobody did. */
#define FLEET_SEEN_MOST (2 * (int64_t)(FLEET_TICK * (double)CLOCK_SECOND))
/* A hub that has given no sign of life for so long does not serve: twice as long as one that only
 * gets no new connections, so that a probe does not fail for every computation. */
#define FLEET_LIFE CLOCK_SECOND
/* For a worker or a generation to get ready, without a hang timeout. */
#define FLEET_RISE_TIME (30 * CLOCK_SECOND)

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

/* The place of one worker process. */
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
	bool must_reopen;     /* its log */
	unsigned logs_missed; /* since the last REOPEN: times that it had no file left for it */
	int64_t capacity;     /* connections that its file limit allows */
	int64_t granted;      /* permits that its hubs and connections have */
	struct ear talk;      /* on channel */
	struct ear exit;      /* on pidfd */
	ev_timer respawn;
	ev_timer healthy;                /* a minute of being ready forgives earlier failures */
	int fork_error;                  /* the errno of the last fork, if that failed; else 0 */
	enum channel_kind leave_message; /* what it is told when it is to leave */
	bool is_killed;                  /* by the master, so its death is no news */
	int64_t started;                 /* clock at the fork */
	int64_t ready;                   /* clock at which its last hub became ready */
	unsigned failures; /* crashes in a row, each before it had been ready for long enough */
};

/* What a generation is made by. */
struct fleet_config {
	unsigned processes;
	unsigned threads;
	/* What all workers get; the rest is filled in per worker. */
	struct worker_heritage heritage;
	int64_t drain_timeout;    /* nanoseconds */
	int64_t hang_timeout;     /* the same; 0 for none */
	uint64_t max_connections; /* 0 for as many as the file limit allows */
	bool balances;            /* by load; else by the kernel's hash */
};

enum generation_phase { GENERATION_RISING, GENERATION_SERVING, GENERATION_LEAVING };

/* Slots with one configuration. */
struct generation {
	struct fleet *fleet;
	struct generation *next; /* among those that leave */
	unsigned number;
	enum generation_phase phase;
	struct fleet_config config;
	struct slot **slots; /* owned */
	unsigned count;
	unsigned first;    /* the index of its first slot: 0, but of a generation that joins */
	bool joins;        /* while it rises: its slots become the serving generation's last */
	bool is_abandoned; /* it never served, and never will */
	int64_t seen;      /* nanoseconds that the master saw it rise */
	ev_timer deadline; /* for leaving: first connections are closed, then workers are killed */
	bool is_stopped;
};

/* Who accepts on a seat. */
struct occupant {
	struct slot *slot; /* NULL for nobody */
	unsigned hub;
	bool is_retiring;     /* no hub will sit here: leaves the group once nobody is queued */
	struct slot *rescuer; /* when the server ends: the worker that has the queue instead */
	int64_t empty_since;  /* clock, while it has no occupant and an empty queue; 0 otherwise */
	unsigned queued;      /* when queues were last measured */
	uint64_t open;        /* connections of its hub, just before that */
	unsigned weight;      /* share of new connections */
	bool has_datagrams;   /* the program for datagrams knows it as one that answers */
};

/* What happens to the fleet that its owner wants to know. */
struct fleet_events {
	void (*all_ready)(void *context); /* once, when every worker serves for the first time */
	void (*risen)(void *context);     /* the rising generation is ready for fleet_commit */
	void (*fell)(void *context, const char *why); /* it was dropped */
	void (*all_gone)(void *context);              /* after fleet_leave: no worker is left */
	void (*hopeless)(void *context); /* nobody ever served, and a slot has failed too often */
	void (*dumped)(void *context, int64_t number); /* a hub has written its coroutines */
	/* So many hubs will not: their worker had no file left for it. */
	void (*dump_missed)(void *context, int64_t number, unsigned hubs);
	void *context;
};

/* What happens to a slot that concerns the rest of the fleet; its process is slot.c's to deal
 * with. */
struct slot_events {
	void (*serves)(struct slot *slot);   /* all its hubs have become ready */
	void (*suspect)(struct slot *slot);  /* a hub gives no sign of life */
	void (*rejoined)(struct slot *slot); /* all its hubs give signs of life again */
	void (*drained)(
		struct slot *slot, unsigned hub); /* it leaves, and this hub accepts no more */
	void (*lost)(struct slot *slot);   /* its process is dead; its rows are still there */
	void (*failed)(struct slot *slot); /* after lost, or a fork that failed: a pause has begun,
					      unless its generation does not serve */
	void (*gone)(struct slot *slot);   /* it has no process, and none will come */
};

struct fleet {
	struct ev_loop *loop;
	struct sockets *sockets;   /* borrowed */
	struct counters *counters; /* borrowed */
	struct fleet_events events;
	const struct slot_events *slot_events;
	struct generation *serving; /* NULL before the start, and once it leaves */
	struct generation *rising;
	struct generation *leaving; /* a list */
	struct occupant *occupants; /* [SOCKETS_SEATS_MAX] */
	/* Seats that the server has for good. Those beyond were bound for a generation that rises,
	 * and are closed again if it is abandoned. */
	unsigned seats;
	ev_timer tick;
	ev_timer
		sweep; /* frees generations that are gone, outside of what happens to their slots */
	int64_t ticked; /* clock of the last tick */
	unsigned ticks;
	unsigned generations; /* made so far, also by earlier masters */
	bool is_frozen;    /* another master is about to take over: nothing is granted or steered */
	int64_t replacing; /* nanoseconds that the master saw pass since a hub last served, while a
			      worker was to start or started */
	uint64_t came;     /* connections, accepted by any hub or queued, at the last tick */
	double arrivals;   /* per tick, lately */
	uint64_t left;     /* connections that had ended at the last tick */
	double replaced;   /* the most that left and came within one tick, lately */
	bool can_steer;
	bool is_steered;         /* a program is attached */
	unsigned datagram_seats; /* that the program for datagrams knows; 0: there is none yet */
	bool was_ready;          /* all_ready was called */
	bool has_served;         /* some worker was ready once */
	bool is_leaving;
};

/* How much of the time since the last tick the master saw pass. */
static inline int64_t
fleet_seen(int64_t elapsed)
{
	return elapsed < FLEET_SEEN_MOST ? elapsed : FLEET_SEEN_MOST;
}

/* The seat of one of a slot's hubs. */
static inline unsigned
slot_seat(const struct slot *slot, unsigned hub)
{
	return slot->index * slot->generation->config.threads + hub;
}

/* Whether a hub of a living process sits there; and whether it will accept, since it does not
 * hang. */
bool occupant_sits(const struct occupant *occupant);
bool occupant_accepts(const struct occupant *occupant);

/* Whether a hub sits there that gave a sign of life within FLEET_LIFE, of the time that the master
 * saw pass. */
bool occupant_lives(const struct occupant *occupant);

/* The row of the hub that sits there. */
struct worker_row *occupant_row(const struct occupant *occupant);

/* Whether all slots of a generation are in that state. */
bool generation_is(const struct generation *generation, enum supervision_state state);

/* Calls visit for each slot of a generation. NULL has none. */
void generation_each(struct generation *generation, void (*visit)(struct slot *slot, void *context),
	void *context);

/* Calls visit for each slot of each generation. */
void fleet_each(
	struct fleet *fleet, void (*visit)(struct slot *slot, void *context), void *context);

/* Calls visit for each hub that sits on a seat that listens, in the order of the kernel's group. */
void roster_each_sitting(const struct fleet *fleet,
	void (*visit)(const struct occupant *occupant, void *context), void *context);

/* Whether every slot of the serving generation serves, and none rises. */
bool fleet_is_steady(const struct fleet *fleet);

/* How many seats that listen have a hub, be it hung; and how many a hub that lives, so that it
 * serves whoever connects. */
unsigned fleet_accepting(const struct fleet *fleet);
unsigned fleet_living(const struct fleet *fleet);

/* Whether a worker that is to serve starts, or will after its pause. */
bool fleet_is_replacing(const struct fleet *fleet);

/* Nanoseconds that workers which start may take, as long as nobody serves: the hang timeout. */
int64_t fleet_patience(const struct fleet *fleet);

#endif
