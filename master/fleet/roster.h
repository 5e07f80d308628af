/* The roster: the records of the fleet, of its generations, their slots, and who sits on which
 * seat, with the queries on these records. The roster stores and answers; the files above it act.
 *
 *	fleet --- serving, rising, leaving ---> generation ---> slot ---> its hubs
 *	      --- occupants, one per seat ------------------------------> slot, hub
 *
 * A slot has rows from the fork of its process until slot_events.lost has returned. */
#ifndef HUBBUB_FLEET_ROSTER_H
#define HUBBUB_FLEET_ROSTER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/base/clock.h"
#include "master/base/ear.h"
#include "master/fleet/starvation.h"
#include "master/fleet/supervision.h"
#include "master/sockets/sockets.h"
#include "worker/channel.h"
#include "worker/heritage.h"

#define FLEET_TICK 0.05                                                /* seconds */
#define FLEET_TICK_TIME ((int64_t)(FLEET_TICK * (double)CLOCK_SECOND)) /* nanoseconds */
/* Nanoseconds. A longer gap between two ticks means that the master, or the machine, was paused. */
#define FLEET_SEEN_MOST (2 * FLEET_TICK_TIME)
/* Nanoseconds without a heartbeat after which a hub counts as not serving. Twice HEARTBEAT_HUNG,
 * after which the hub gets no new connections, so that a long computation fails no probe. */
#define FLEET_LIFE CLOCK_SECOND
/* Nanoseconds for a worker or a generation to get ready, where no hang timeout is set. */
#define FLEET_RISE_TIME (30 * CLOCK_SECOND)

struct capture;
struct fleet;
struct generation;

/* What the master knows of one hub; written by the heartbeat. */
struct slot_hub {
	bool is_hung;      /* no new heartbeat for HEARTBEAT_HUNG */
	int64_t heartbeat; /* the last value seen in the hub's row */
	/* Nanoseconds without a new heartbeat that the master saw pass, and in which the hub had a
	 * CPU, or wanted none. */
	int64_t silent;
	struct starvation starvation; /* what that silence does not count */
	uint64_t busy_seen;           /* nanoseconds that the hub had been busy at the last look */
	double busy;                  /* share of the time that the hub is busy, 0 to 1, smoothed */
};

/* The place of one worker process. The slot stays when the process dies. */
struct slot {
	struct generation *generation;
	unsigned index;
	enum supervision_state state;
	pid_t pid;               /* 0 without a process */
	int pidfd;               /* -1 without a process, or where the system refuses pidfds */
	int channel;             /* to the worker (worker/channel.h); -1 without a process */
	struct worker_row *rows; /* counters, one row per hub; NULL without a process */
	int rings; /* the first of its rings in recorders, one per hub; -1: it has none */
	struct worker_memo *memo; /* what this master and the process leave for each other; owned */
	struct capture *capture; /* what the process prints; NULL without, or if it is left alone */
	struct slot_hub *hubs;   /* [config.threads]; owned */
	/* Messages that are due, and sent again at each tick until the channel takes them. */
	bool must_accept;
	bool must_leave;
	bool must_reopen[CHANNEL_LOG_MAX];
	unsigned logs_missed; /* since orders_reopen: REOPENs for whose file the worker had no fd */
	bool has_strayed;     /* the process has sent what makes no sense, and the log says so */
	int64_t capacity;     /* connections that the worker's file limit allows */
	int64_t granted;      /* permits of the worker: free in its rows, or used by connections */
	struct ear talk;      /* on channel */
	struct ear exit;      /* on pidfd */
	ev_timer respawn;     /* ends the pause after a failure */
	ev_timer healthy;     /* forgives earlier failures, a minute after the worker was ready */
	int fork_error;       /* errno of the last fork; 0 if it succeeded */
	enum channel_kind leave_message; /* HANDOVER, DRAIN or STOP: how the worker is to leave */
	bool is_killed;    /* the master ended the process: its death is not logged as an error */
	int64_t started;   /* clock at the fork */
	int64_t ready;     /* clock at which the worker's last hub became ready; 0 before */
	unsigned failures; /* in a row, each before the worker had served for long enough */
};

/* The configuration of a generation. */
struct fleet_config {
	unsigned processes;
	unsigned threads;
	/* What every worker gets; the slot fills in the rest for its own worker. */
	struct worker_heritage heritage;
	int64_t drain_timeout;    /* nanoseconds */
	int64_t hang_timeout;     /* nanoseconds; 0 for none */
	uint64_t max_connections; /* 0 for as many as the file limits allow */
	bool balances;            /* new connections go by load; else by the kernel's hash */
	bool captures;            /* what workers print comes into the log */
};

enum generation_phase { GENERATION_RISING, GENERATION_SERVING, GENERATION_LEAVING };

/* Slots with one configuration. */
struct generation {
	struct fleet *fleet;
	struct generation *next; /* in fleet.leaving */
	unsigned number;
	enum generation_phase phase;
	struct fleet_config config;
	struct slot **slots; /* owned */
	unsigned count;
	unsigned first;    /* index of the first slot; above 0 only in a generation that joins */
	bool joins;        /* fleet_commit is to append its slots to the serving generation */
	bool is_abandoned; /* dropped before it served */
	int64_t seen;      /* nanoseconds spent rising that the master saw pass */
	ev_timer deadline; /* while leaving: closes connections first, kills workers next */
	bool is_stopped;   /* the workers were told to stop: the next deadline kills them */
};

/* The hub that accepts on a seat. */
struct occupant {
	struct slot *slot; /* NULL while the seat is empty */
	unsigned hub;
	bool is_retiring;     /* no hub will sit here; leaves the group once its queue is empty */
	struct slot *rescuer; /* at the server's end: the worker that adopted this seat's queue */
	int64_t empty_since;  /* clock since which a retiring seat's queue is empty; 0 otherwise */
	unsigned queued;      /* connections in the seat's queues, when last measured */
	uint64_t open;        /* connections of the hub, just before that measurement */
	unsigned weight;      /* of the seat in the steering program; 0: no new connections */
	bool has_datagrams;   /* the datagram program sends senders to this seat */
};

/* Events for the owner of the fleet. */
struct fleet_events {
	void (*all_ready)(void *context); /* every worker serves; once after each start */
	void (*risen)(void *context);     /* the rising generation is ready for fleet_commit */
	void (*fell)(void *context, const char *why); /* the rising generation was dropped */
	void (*all_gone)(void *context);              /* after fleet_leave: no worker is left */
	void (*hopeless)(void *context); /* no worker ever served, and a slot failed too often */
	void (*dumped)(void *context, int64_t number); /* a hub has written its coroutines */
	/* A worker with so many hubs writes no coroutines: it had no fd left for the file. */
	void (*dump_missed)(void *context, int64_t number, unsigned hubs);
	void *context;
};

/* Events of a slot that concern the rest of the fleet. The slot itself handles the process. */
struct slot_events {
	void (*serves)(struct slot *slot);   /* all hubs of the worker have become ready */
	void (*suspect)(struct slot *slot);  /* a hub gives no sign of life */
	void (*rejoined)(struct slot *slot); /* all hubs give signs of life again */
	void (*drained)(struct slot *slot, unsigned hub); /* this hub of a leaving worker accepts no
							     more */
	void (*lost)(struct slot *slot);   /* the process is dead; its rows are still there */
	void (*failed)(struct slot *slot); /* after lost, or after a failed fork; if the generation
					      serves, the pause has begun */
	void (*gone)(struct slot *slot);   /* the slot has no process, and will get none */
};

struct fleet {
	struct ev_loop *loop;
	struct sockets *sockets;     /* borrowed */
	struct counters *counters;   /* borrowed */
	struct recorders *recorders; /* borrowed; NULL for none */
	struct fleet_events events;
	const struct slot_events *slot_events;
	struct generation *serving; /* NULL before the start, and once the fleet leaves */
	struct generation *rising;  /* NULL for none */
	struct generation *leaving; /* the first of a list */
	struct occupant *occupants; /* [SOCKETS_SEATS_MAX]; owned */
	/* How many seats the server keeps. Further seats were bound for a rising generation, and
	 * are closed again if that generation is abandoned. */
	unsigned seats;
	ev_timer tick;
	/* Frees generations whose slots are dead. A timer, because no slot may be freed during an
	 * event of its own. */
	ev_timer sweep;
	int64_t ticked; /* clock of the last tick */
	unsigned ticks;
	int64_t longest_pause; /* nanoseconds by which a tick of this master's was late, at most */
	unsigned generations;  /* made so far, also by earlier masters of this server */
	bool is_frozen;        /* another master is about to take over: no permits, no steering */
	/* Nanoseconds without a hub that serves, while workers start or wait for their pause; only
	 * those that the master saw pass. */
	int64_t replacing;
	uint64_t came;   /* connections so far, accepted or queued, at the last tick */
	double arrivals; /* new connections per tick; a maximum that fades */
	uint64_t left;   /* connections that had ended at the last tick */
	double replaced; /* connections that ended and came back within a tick; fades, too */
	bool can_steer;  /* the kernel takes programs, and the order of the group is known */
	bool is_steered; /* a steering program is attached */
	/* sockets.changes when this master attached it; 0: another master did. */
	uint64_t steered_at;
	unsigned datagram_seats; /* seats that the datagram program knows; 0 without a program */
	bool was_ready;          /* all_ready was called since the last start */
	bool has_served;         /* some worker was ready once */
	int64_t next_warning;    /* clock from which a limit that is reached may be logged again */
	int64_t next_starved;    /* the same of a hub that waits for a CPU */
	bool is_leaving;         /* between fleet_leave and events.all_gone */
	int access_file;         /* what fleet_reopen_access was given; 0: none */
};

/* The part of the time since the last tick that the master saw pass, in nanoseconds; the rest was a
 * pause. */
static inline int64_t
fleet_seen(int64_t elapsed)
{
	return elapsed < FLEET_SEEN_MOST ? elapsed : FLEET_SEEN_MOST;
}

/* A number of connections or permits that a worker may have overwritten, within 0 and INT_MAX: each
 * connection has a file descriptor, so no process has more. */
int64_t within_files(int64_t count);

/* How many connections one of the slot's hubs has open, and how many permits it has free. Its row
 * is memory of the worker, where a stray write may leave any number: these are at least 0, and at
 * most INT_MAX. */
int64_t slot_open(const struct slot *slot, unsigned hub);
int64_t slot_permits(const struct slot *slot, unsigned hub);

/* The seat of one of the slot's hubs. */
static inline unsigned
slot_seat(const struct slot *slot, unsigned hub)
{
	return slot->index * slot->generation->config.threads + hub;
}

/* Whether a hub of a living process sits on the seat; and whether that hub accepts, because it is
 * not hung. */
bool occupant_sits(const struct occupant *occupant);
bool occupant_accepts(const struct occupant *occupant);

/* Whether a hub sits on the seat and gave a sign of life within FLEET_LIFE, counting only time that
 * the master saw pass. */
bool occupant_lives(const struct occupant *occupant);

/* The row of the hub that sits on the seat; only after occupant_sits. */
struct worker_row *occupant_row(const struct occupant *occupant);

/* Whether all slots of the generation are in this state. */
bool generation_is(const struct generation *generation, enum supervision_state state);

/* Whether all workers of the generation are ready, and none of them is being killed, as is one
 * whose seat cannot listen: until it is dead, it is still READY. */
bool generation_is_ready(const struct generation *generation);

/* Calls visit for each slot of the generation; a NULL generation has none. */
void generation_each(struct generation *generation, void (*visit)(struct slot *slot, void *context),
	void *context);

/* Calls visit for each slot of each generation. */
void fleet_each(
	struct fleet *fleet, void (*visit)(struct slot *slot, void *context), void *context);

/* Calls visit for each occupied seat that listens, in the order of the kernel's group. */
void roster_each_sitting(const struct fleet *fleet,
	void (*visit)(const struct occupant *occupant, void *context), void *context);

/* Whether every slot of the serving generation is ready, and no generation rises. */
bool fleet_is_steady(const struct fleet *fleet);

/* How many listening seats have a hub, hung hubs included; and how many have a hub that lives, and
 * so serves new connections. */
unsigned fleet_accepting(const struct fleet *fleet);
unsigned fleet_living(const struct fleet *fleet);

/* Whether a worker of the serving or the rising generation starts, or will start after its
 * pause. */
bool fleet_is_replacing(const struct fleet *fleet);

/* Nanoseconds for which workers may start while no hub serves, before the server counts as dead:
 * the hang timeout, or FLEET_RISE_TIME without one. */
int64_t fleet_patience(const struct fleet *fleet);

/* Whether a slot has a process, and all that comes and goes with it, in exactly the states that
 * have one, and its timers run only in the states that wait for them. False while the process is
 * being forked, or cleaned up after. */
bool slot_is_consistent(const struct slot *slot);

/* Whether the records agree with each other, and with the sockets: generations in the places of
 * their phases, each with its own slots; hubs of living processes on their own seats; the group's
 * order. Looks at everything. */
bool roster_is_consistent(const struct fleet *fleet);

#endif
