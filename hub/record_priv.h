/* What a coroutine and a hub are made of, for all modules to see: the ground that they stand on, so
 * it knows none of them. Data alone: what is done with it is told in the header of its module. */
#ifndef HUBBUB_RECORD_PRIV_H
#define HUBBUB_RECORD_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/arch/switch_priv.h"
#include "hub/arena_priv.h"
#include "hub/base/list.h"
#include "hub/base/loop.h"
#include "hub/record.h"

/* ---- a coroutine ---- */

#define COROUTINE_NAME_SIZE 32

enum coroutine_state {
	COROUTINE_READY,    /* in the run queue; also before its first run */
	COROUTINE_RUNNING,  /* the hub's current */
	COROUTINE_WAITING,  /* in hub_suspend */
	COROUTINE_SWITCHED, /* in hub_switch, or raw and not started: resumed by hub_switch alone */
	COROUTINE_DONE,
	COROUTINE_STATE_MAX
};

/* __cxa_eh_globals of the C++ ABI. */
struct exceptions {
	void *caught;
	unsigned uncaught;
};

/* Lives at the top of its own stack. What each wait and wake touches comes first, together. */
struct hub_coroutine {
	struct stack stack; /* first: the arena knows the coroutine by it */
	struct arch_context context;
	struct hub_coroutine *next; /* in the run queue */
	enum coroutine_state state;
	/* Names the present wait, or the next one; no two waits in one slot have the same, whoever
	 * lived in it. A wake that names another epoch comes too late and does nothing. */
	uint32_t epoch;
	int reason;     /* how the last wait ended: 0, or an errno */
	int fails_with; /* what blocking calls fail with at once: 0, ECANCELED or ETIMEDOUT */
	struct hub *hub;
	struct hub_timeout *scope; /* the innermost started one, or NULL */
	int64_t deadline;          /* of the present wait, scopes included; HUB_FOREVER for none */
	int64_t waits_since;       /* about when the present wait began */
	const char *waits_for;     /* a word for dumps */
	const void *waits_on;      /* the object, or the fd as a pointer */
	bool is_loop_wait;         /* the present wait can be ended by the loop */
	bool is_raw;
	bool is_detached;
	bool is_killed;
	bool is_critical;
	bool is_told; /* somebody has taken the failure */
	bool has_run;
	unsigned shields;   /* how many of its scopes are shields */
	unsigned nurseries; /* how many of its scopes are nurseries' */
	int kill_reason;    /* given with the last kill, or 0 */
	int thrown;         /* by hub_throw, until hub_thrown asks */

	hub_fn *body;
	void *argument;
	void *result;
	struct hub_coroutine *parent; /* raw: who gets the result; scheduled: who joins, or NULL */
	struct hub_coroutine
		*heir;      /* raw: who gets the end instead of the parent, untold of failures */
	uint64_t parent_id; /* raw: the parent's; with another one it is another coroutine */
	uint64_t heir_id;
	uint64_t id; /* of hub_id; 0 for the thread's own stack, and in a free slot */
	/* Whom it last switched to, and who last switched to it; see coroutine_driver. */
	struct hub_coroutine *switched_to;
	struct hub_coroutine *switched_from;
	struct hub_link
		*links; /* to be told of its end, in order; the first one's previous is the last */
	uint64_t ended; /* how many of the hub's coroutines had ended with it */
	struct hub_failure *failure; /* owned; NULL unless it failed */
	struct cleanup *cleanup;     /* owned; what to do at its end, or NULL */
	struct locals *locals;       /* owned; or NULL */
	struct hub_group *group;     /* that it is a child of, or NULL */
	struct hub_coroutine *sibling_next;
	struct hub_coroutine *sibling_previous;
	struct hub_link group_link;
	const void *spawned_at; /* the address in the code that spawned it */
	int64_t timer_at;       /* the deadline for which the timer is armed, while it is active */
	ev_timer timer;
	struct exceptions exceptions;
	char name[COROUTINE_NAME_SIZE];
};

_Static_assert(sizeof(struct arch_context) == 24, "the assembly knows this layout");

/* ---- the parts of a hub ---- */

#define TRIM_WINDOWS 5

/* Of trim.c: when what is given back. */
struct trim {
	ev_timer timer;
	int64_t window;     /* nanoseconds */
	int64_t look_every; /* the same */
	int64_t began;      /* the present window */
	/* The most slots that were in use in each window; the newest first. */
	size_t peaks[TRIM_WINDOWS];
	unsigned quiet;  /* windows in a row in which nothing has changed */
	bool is_cooling; /* some of what the last window has found is still to go back */
	bool is_wanted;  /* set by whoever has something to give back, for the timer to start */
};

#define WATCHDOG_FRAMES 32

/* Of debug/watchdog.c: what it knows of a hub. */
struct watched {
	struct list link; /* under the watchdog's mutex, like all that follows */
	pthread_t thread;
	uint64_t taken; /* the hub's counters, when they last moved */
	int64_t busy_since;
	int64_t since; /* when that was seen */
	int64_t used;  /* CPU time of the thread then */
	pid_t tid;
	int64_t next_report; /* how long it must stand still to be reported */
	/* Until then the watchdog often makes it look at its clock. Relaxed: the hub reads it. */
	int64_t attended_until;
	unsigned *due_calls;   /* its thread's hub_due_calls */
	const void *stack_end; /* of the thread's own stack, as far as the hub uses it */
	atomic_bool is_expected;
	/* The hub's thread writes these while is_asked, and then clears it. */
	atomic_bool is_asked;
	char name[32];
	void *frames[WATCHDOG_FRAMES];
	unsigned count;
};

/* Of thread/mailbox.c. */
struct hub_mailbox {
	_Atomic(struct hub_message *) newest;
	/* Threads inside hub_mailbox_post: what they post may end the hub while they are still
	 * about to wake its loop, so the loop is kept until they have left. */
	atomic_uint posters;
	ev_async wake;
	struct ev_loop *loop;
	unsigned forks; /* of this process before it was started */
};

#define FD_CHUNK_BITS 6 /* three pages: one descriptor that stays keeps no more */
#define FD_CHUNK (1 << FD_CHUNK_BITS)

/* How often a wait that lasts is looked at: after 50 ms, then twice as long each time, up to 13
 * s. */
#define SWEEP_LEVELS 9

struct fd_chunk {
	struct hub_fd *entries; /* FD_CHUNK of them; those of a chunk without memory are all zero */
	struct fd_sign *signs;  /* likewise, of signs.c; NULL before any is needed */
	int64_t idle_since;     /* when its last descriptor left */
	unsigned open;
	bool has_memory;
};

/* Of io/table.c. Grows on demand: a limit of a billion descriptors costs nothing. */
struct fd_table {
	struct fd_chunk *chunks;
	unsigned size;        /* numbers that have a chunk */
	unsigned idle;        /* chunks that have memory and no descriptor */
	unsigned trimmed;     /* the chunk that the next trim begins with */
	uint64_t generations; /* given out */
	uint32_t openings;    /* likewise */
	int kinds;            /* see identity.c; -1 for none yet */
	int signs;            /* see signs.c; likewise */
	ev_io signs_watcher;

	/* See sweep.c. */
	struct list levels[SWEEP_LEVELS];
	ev_timer sweep;
};

/* ---- a hub ---- */

/* One per thread that uses coroutines; hub_run gives it a loop. */
struct hub {
	struct hub_coroutine *current;
	const struct hub_hooks *hooks;     /* NULL for none */
	struct hub_coroutine *ready_first; /* run queue */
	struct hub_coroutine *ready_last;
	uint64_t appended; /* to the run queue, ever */
	uint64_t taken;    /* from it */
	/* The slice: see hub_slice_expired. */
	uint64_t batch;         /* appended, when the loop was last left: those run first */
	uint32_t ticks;         /* until the clock is read again */
	uint32_t tick_interval; /* how many that were */
	int64_t now;            /* clock, read once a loop and every few switches */
	int64_t slice_started;  /* clock when coroutines last got the thread from the loop */
	struct hub_coroutine
		root; /* the thread's own stack: runs the loop, or code outside hub_run */
	struct hub_coroutine *main; /* the first coroutine of hub_run */
	struct stack_arena arena;
	struct trim trim;

	/* hub_yield_due: how many calls until the clock is read, and when it was. */
	unsigned due_interval;
	int64_t due_read;
	struct root_call *root_call; /* of the coroutine that has just switched to root, or NULL */
	struct hub_waiter *idlers;   /* for nothing else to be runnable */
	struct hub_static *statics;  /* see statics.c */

	struct ev_loop *loop; /* NULL outside hub_run */
	/* Waits that the loop can end: by a descriptor or a deadline. None, an empty run queue and
	 * no door to other threads mean that nothing will ever happen. */
	size_t loop_waits;
	size_t scheduled; /* scheduled coroutines that have not ended */
	uint64_t ended;   /* scheduled coroutines that have */
	uint64_t ids;     /* coroutines that ever lived */
	size_t selects;   /* calls of hub_select, whose cases take turns */
	bool is_ending;   /* the first coroutine has ended; the rest is killed */
	bool is_telling;  /* links are being told: no coroutine runs, on a coroutine's stack */
	unsigned last_words;
	bool is_reachable; /* somebody asked for the mailbox */
	struct hub_counters *counters;
	struct hub_counters own_counters;
	struct watched watched;
	struct hub_mailbox mailbox;
	struct fd_table fds;
	bool is_polling;   /* libev runs */
	bool is_abandoned; /* it is the parent's, in a forked child: nothing of it runs any more */
	/* Of io/own.c: what libev has opened. */
	unsigned owns;
	int own[4];
	int watch_error; /* errno of the last watch that the kernel refused to libev */
	/* What lies above those that call it. */
	void (*free)(struct hub *hub); /* at the end of the thread */
	void (*dump)(int fd);          /* hub_dump */
};

#endif
