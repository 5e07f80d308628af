/* The state of one thread of a worker and of its hub, which the thread's parts share, from
 * acceptors to hand-offs. Each field has one writer, unless it says atomic; thread.c initialises
 * and frees it. */
#ifndef HUBBUB_WORKER_STATE_H
#define HUBBUB_WORKER_STATE_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "hub/base/check.h"
#include "hub/base/list.h"
#include "hub/hub.h"
#include "worker/channel.h"
#include "worker/heritage.h"
#include "worker/peers.h"
#include "worker/self.h"

enum thread_command {
	THREAD_BEGIN,    /* worker_start has succeeded: run hub_start, and report THREAD_BEGUN */
	THREAD_ACCEPT,   /* start to accept */
	THREAD_HANDOVER, /* accept no more: others accept on the same sockets */
	THREAD_DRAIN,    /* accept no more, once the queues are empty: no other hub accepts there */
	/* Accept no more, once the queues are empty, within a second: the master is dead. */
	THREAD_ABANDON,
	THREAD_EMPTY,  /* report THREAD_IDLE when the last connection has ended */
	THREAD_FINISH, /* end all connections now, at a message boundary */
	/* Kill the connections that are still open, end background functions, run hub_stop, and
	 * report THREAD_CLOSED. */
	THREAD_CLOSE,
	THREAD_STOP, /* end the hub; a hook that still runs is killed */
	THREAD_COMMAND_MAX
};

/* What a hub reports to the leading hub. */
enum thread_news {
	THREAD_BEGUN,  /* hub_start has returned; has_begun says whether it has succeeded */
	THREAD_QUIET,  /* it accepts no more, and hands no more connections to siblings */
	THREAD_IDLE,   /* it has no connections */
	THREAD_CLOSED, /* hub_stop has returned */
	THREAD_NEWS_MAX
};

#define THREAD_PULSES 10 /* pulses a second */

struct acceptor;
struct keeper;
struct worker;
struct worker_thread;

/* A command on its way to a hub, or news on their way to the leading hub. */
struct thread_order {
	struct hub_message message;
	struct worker_thread *thread;
	unsigned what; /* enum thread_command or enum thread_news */
};

/* A message that the master could not be sent. */
struct thread_unsent {
	bool is_there;
	int64_t value;
};

struct worker_thread {
	const struct worker_heritage *heritage;
	struct worker_row *row;
	unsigned index; /* of the hub in its worker */
	int cpu;        /* the CPU to which the thread is pinned, or -1 */
	pthread_t handle;
	struct hub_hooks hooks;
	bool cannot_record; /* there was no memory for its ring, which was logged */

	/* All hubs of the process, this one included; written before any of them accepts. */
	struct worker_thread *siblings;
	unsigned sibling_count;
	/* Takes connections from siblings; written by the hub, read by siblings; atomic. */
	bool is_welcoming;
	/* Connections that siblings have sent and the hub does not serve yet; atomic. */
	uint64_t coming;

	/* companion: the leader's coroutine in the first hub, NULL in the others; its argument is
	 * leader. */
	hub_fn *companion;
	struct worker *leader;
	struct thread_order news[THREAD_NEWS_MAX]; /* each is posted once */
	void (*on_news)(struct hub_message *message);

	/* has_failed and mailbox are written by the hub's thread before it posts started, then only
	 * read. */
	sem_t started;
	bool has_failed;
	struct hub_mailbox *mailbox;
	/* hub_start has succeeded; written by the hub's thread before it posts THREAD_BEGUN. */
	bool has_begun;
	struct thread_order orders[THREAD_COMMAND_MAX]; /* each is posted at most once */
	/* Nanoseconds; written by the leader before it posts HANDOVER, DRAIN or ABANDON. */
	int64_t drain_window;

	/* From here on only the hub's thread reads and writes. */
	unsigned commanded; /* bits 1 << thread_command */
	/* Set with each bit; while the hub leaves, also at each end of a connection; and at each
	 * end of a keeper. */
	struct hub_event command;
	struct hub_event draining; /* set once the hub's connections are to end */
	struct hub_pool pool;      /* the coroutines of its connections and commands */
	struct hub_pool own;       /* other coroutines of the service */
	struct keeper *keepers;    /* of background functions, see keeper.h; owned */
	unsigned keeper_count;
	unsigned keeping; /* keepers that have not ended */
	bool has_served;  /* its connections have ended, or were given up at THREAD_STOP */
	struct acceptor *acceptors; /* one per address; owned */
	struct list parcels;        /* connections from siblings; see handoff.h */
	struct hub_event has_parcels;
	int64_t deaf_since;     /* the hub cannot accept any more, see deaf.h; 0: it can */
	int deaf_error;         /* why; 0 once that was logged */
	bool is_out_of_permits; /* as the hub last found; siblings read it: atomic */
	/* Pulses in a row at which clients waited because of the limit on files. */
	unsigned starved;
	/* By kind, messages that the master could not be sent yet: the pulse sends them again. */
	struct thread_unsent unsent[CHANNEL_TO_MASTER_MAX];
	unsigned emptying;   /* coroutines that empty last queues; see queued.h */
	struct list adopted; /* queues of dead hubs, which end as the hub's own do; see queued.h */
	struct peers peers;  /* of connections from a proxy */
	struct hubbub_self self; /* what hubbub_self tells; workers is read from the memo */
	/* Where discarded input goes: on a coroutine's stack it would leave its pages touched. */
	char nowhere[16 * 1024];
};

/* Whether the caller runs on the hub's thread; true also before the hub runs. */
static inline bool
thread_is_here(const struct worker_thread *thread)
{
	return thread->mailbox == NULL || thread->mailbox == hub_mailbox();
}

/* After each call of a function of the service, whose return means something to others: a child
 * process that it has forked must not return for its parent, whose sockets and shared memory it
 * has. */
static inline void
thread_check_return(void)
{
	CHECK_WHY(hub_current() != NULL,
		"a function of the service has returned in a forked child: call _exit there");
}

/* Whether the hub has got that command. The hub's thread only. */
static inline bool
thread_is_commanded(const struct worker_thread *thread, enum thread_command command)
{
	return (thread->commanded & 1U << command) != 0;
}

/* Waits until the hub gets a command, a keeper ends, or, while the hub leaves, a connection ends;
 * nanoseconds at most. The hub's thread only. Switches: yes.  Returns 0, or -1 if the caller was
 * killed. */
static inline int
thread_rest(struct worker_thread *thread, int64_t nanoseconds)
{
	DCHECK(thread_is_here(thread));
	hub_event_clear(&thread->command);
	if (hub_event_wait_for(&thread->command, nanoseconds) != 0 && errno == ECANCELED)
		return -1;
	return 0;
}

/* Whether the hub accepts no more, and its connections are to end. The hub's thread only. */
static inline bool
thread_is_leaving(const struct worker_thread *thread)
{
	return (thread->commanded & ~(1U << THREAD_BEGIN | 1U << THREAD_ACCEPT)) != 0;
}

#endif
