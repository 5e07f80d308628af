/* The state of one thread of a worker and of its hub, which its parts share, from acceptors to
 * hand-offs. Fields have one writer each, as they say; thread.c makes it and ends it. */
#ifndef HUBBUB_WORKER_STATE_H
#define HUBBUB_WORKER_STATE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "hub/base/list.h"
#include "hub/hub.h"
#include "worker/channel.h"
#include "worker/heritage.h"
#include "worker/peers.h"

enum thread_command {
	THREAD_ACCEPT,   /* start to accept */
	THREAD_HANDOVER, /* accept no more: others do, on the same sockets */
	THREAD_DRAIN,    /* accept no more, after what is queued: nobody else does */
	THREAD_ABANDON,  /* accept no more, after what is queued now: the master is dead */
	THREAD_EMPTY,    /* say when the last connection has ended */
	THREAD_FINISH,   /* end connections now, at the boundary of a message */
	THREAD_STOP,     /* end; what is open then is killed */
	THREAD_COMMAND_MAX
};

/* What a hub tells the leading one. */
enum thread_news {
	THREAD_QUIET, /* it accepts no more, and gives its siblings nothing any more */
	THREAD_IDLE,  /* it serves nobody */
	THREAD_NEWS_MAX
};

#define THREAD_PULSES 10 /* a second */

struct acceptor;
struct worker;
struct worker_thread;

/* A command on its way to the hub, or news on their way to the leader. */
struct thread_order {
	struct hub_message message;
	struct worker_thread *thread;
	unsigned what;
};

struct thread_unsent {
	bool is_there;
	int64_t value;
};

struct worker_thread {
	const struct worker_heritage *heritage;
	struct worker_row *row;
	unsigned index;
	int cpu; /* to which it is pinned, or -1 */
	pthread_t handle;
	struct hub_hooks hooks;

	/* All hubs of the process, this one included. */
	struct worker_thread *siblings;
	unsigned sibling_count;
	bool is_welcoming; /* takes connections from siblings; atomic */
	uint64_t coming;   /* connections that siblings sent and it does not serve yet; atomic */

	/* A coroutine that the hub runs beside its own, or NULL; its argument is leader. */
	hub_fn *companion;
	struct worker *leader;
	struct thread_order news[THREAD_NEWS_MAX]; /* each is posted once, to the leading hub */
	void (*on_news)(struct hub_message *message);

	/* Known to other threads once started was posted. */
	sem_t started;
	bool has_failed;
	struct hub_mailbox *mailbox;
	struct thread_order orders[THREAD_COMMAND_MAX]; /* each is posted once at most */
	int64_t drain_window; /* nanoseconds; before a command to accept no more is posted */

	/* The hub's own from here on. */
	unsigned commanded;         /* bits 1 << thread_command */
	struct hub_event command;   /* set with each bit; while it leaves, by each end, too */
	struct hub_event draining;  /* set when its connections are to end */
	struct hub_pool pool;       /* its connections */
	struct acceptor *acceptors; /* one per address; owned */
	struct list parcels;        /* connections that siblings gave it; see handoff.h */
	struct hub_event has_parcels;
	bool is_deaf;           /* it cannot accept any more; see deaf.h */
	bool is_out_of_permits; /* when it last looked; siblings read it, so access is atomic */
	unsigned starved;       /* pulses in a row at which files were what clients waited for */
	/* What the master could not be told yet, by kind: the pulse sends it again. */
	struct thread_unsent unsent[CHANNEL_TO_MASTER_MAX];
	unsigned emptying;   /* coroutines that serve last queues; see queued.h */
	struct list adopted; /* queues of dead hubs, which end as its own do; see queued.h */
	struct peers peers;  /* of connections that came through a proxy */
	/* What nobody wants to read goes here, not on a stack, whose pages would stay touched. */
	char nowhere[16 * 1024];
};

/* Whether the hub has got that command. Its thread only. */
static inline bool
thread_is_commanded(const struct worker_thread *thread, enum thread_command command)
{
	return (thread->commanded & 1U << command) != 0;
}

/* Whether the hub accepts no more, and its connections are to end. Its thread only. */
static inline bool
thread_is_leaving(const struct worker_thread *thread)
{
	return (thread->commanded & ~(1U << THREAD_ACCEPT)) != 0;
}

#endif
