/* The records of a coroutine and of a hub, visible to all modules. Data alone: this header includes
 * none of the modules above it, so the modules need not include one another. The functions, and
 * what each field means to them, are in the module that a comment names. */
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
	COROUTINE_SWITCHED, /* in hub_switch, or new: a raw one is resumed by hub_switch alone */
	COROUTINE_DONE,
	COROUTINE_STATE_MAX
};

/* __cxa_eh_globals of the C++ ABI. */
struct exceptions {
	void *caught;
	unsigned uncaught;
};

/* Lives at the top of its own stack. The fields that each wait and wake touches come first, in the
 * same cache lines. */
struct hub_coroutine {
	struct stack stack; /* must be first: the arena converts between the two */
	struct arch_context context;
	struct hub_coroutine *next; /* in the run queue */
	enum coroutine_state state;
	/* Names the present wait, or the next one; no two waits in one slot have the same epoch,
	 * whichever coroutine lived in it. A wake that names another epoch comes too late and does
	 * nothing. */
	uint32_t epoch;
	int reason;     /* how the last wait ended: 0, or an errno */
	int fails_with; /* error of every blocking call: 0, ECANCELED or ETIMEDOUT */
	struct hub *hub;
	struct hub_timeout *scope; /* the innermost scope that is started, or NULL */
	int64_t deadline;          /* of the present wait, scopes included; HUB_FOREVER for none */
	int64_t waits_since;       /* about when the present wait began */
	const char *waits_for;     /* a word for dumps */
	const void *waits_on;      /* the object, or an fd (debug/awaited_priv.h) */
	bool is_loop_wait;         /* the present wait can be ended by the loop */
	bool is_raw;
	bool is_detached;
	bool is_killed;
	bool is_critical;
	bool is_told; /* the failure was reported to a joiner or a group */
	bool has_run;
	uint32_t recorded;  /* of recorder.c: its name in the ring */
	unsigned shields;   /* started scopes that are shields */
	unsigned nurseries; /* started scopes that belong to nurseries */
	int kill_reason;    /* given with the last kill, or 0 */
	int thrown;         /* error of hub_throw, until hub_thrown returns it */

	hub_fn *body;
	void *argument;
	void *result;
	struct hub_coroutine *parent; /* raw: gets the result; scheduled: the joiner, or NULL */
	/* Raw: the heir gets the end instead of the parent, and is not thrown failures. parent_id
	 * and heir_id differ from the ids of these once they are gone. */
	struct hub_coroutine *heir;
	uint64_t parent_id;
	uint64_t heir_id;
	uint64_t id; /* of hub_id; 0 for the thread's own stack, and in a free slot */
	/* The coroutine that this one last switched to, and the one that last switched to this; see
	 * coroutine_driver. */
	struct hub_coroutine *switched_to;
	struct hub_coroutine *switched_from;
	/* Called at its end, first to last. The previous of the first one is the last one. */
	struct hub_link *links;
	uint64_t ended;              /* the hub's count of ends at its end: the order of ends */
	struct hub_failure *failure; /* owned; NULL unless the coroutine failed */
	struct cleanup *cleanup;     /* owned; deferred calls and memory (defer.c), or NULL */
	struct locals *locals;       /* owned; or NULL */
	struct hub_group *group;     /* the group of which it is a member, or NULL */
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

/* Of trim.c: when memory that is not needed is given back. */
struct trim {
	ev_timer timer;
	int64_t window;     /* nanoseconds */
	int64_t look_every; /* nanoseconds between two looks */
	int64_t began;      /* when the present window began */
	/* The most slots that were in use in each window; the newest first. */
	size_t peaks[TRIM_WINDOWS];
	unsigned quiet;  /* windows in a row in which nothing has changed */
	bool is_cooling; /* slots that the last window found free are still to be given back */
	bool is_wanted;  /* memory was freed: the timer is to start */
};

/* Of spin.c: whether the hub spins, and what it has learned. Times are in nanoseconds. */
struct spin {
	int64_t most;      /* 0: it never spins */
	int64_t usual;     /* about how long a spin is that finds something */
	int64_t looked_at; /* when it began to spin, */
	int64_t waited;    /* and how long the thread had waited for a CPU; -1: not known */
	int64_t truce;     /* for how long it will not spin if others want the CPU */
	int64_t truce_until;
	_Atomic(unsigned) *rivals; /* hubs that spin on the same CPUs; this one counts if is_on */
	unsigned cpus;
	unsigned asked;   /* how many short sleeps in a row it takes to begin, */
	unsigned lacking; /* and how many of them lack */
	unsigned good;    /* spins in a row that found something */
	bool is_on;
};

#define WATCHDOG_FRAMES 32

/* Of debug/watchdog.c: the watchdog's record of a hub. */
struct watched {
	struct list link; /* guarded by the watchdog's mutex, like all fields up to next_report */
	pthread_t thread;
	uint64_t taken; /* the hub's counters when the watchdog last saw them move */
	int64_t busy_since;
	int64_t since; /* when the watchdog saw that */
	int64_t used;  /* CPU time of the hub's thread at that time */
	pid_t tid;
	int64_t next_report; /* nanoseconds without progress until the next report */
	/* Until this time the watchdog makes the hub read its clock every few milliseconds. The hub
	 * reads it, relaxed. */
	int64_t attended_until;
	unsigned *due_calls;   /* hub_due_calls of the hub's thread */
	const void *stack_end; /* of the thread's own stack, as far as the hub uses it */
	atomic_bool is_expected;
	/* The hub's thread writes name, frames and count while is_asked, and then clears
	 * is_asked. */
	atomic_bool is_asked;
	char name[32];
	void *frames[WATCHDOG_FRAMES];
	unsigned count;
};

/* Of thread/mailbox.c. */
struct hub_mailbox {
	_Atomic(struct hub_message *) newest;
	/* Threads inside hub_mailbox_post. Their message may end the hub while they are about to
	 * wake its loop, so the hub waits for them before it frees the loop. */
	atomic_uint posters;
	ev_async wake;
	struct ev_loop *loop;
	unsigned forks; /* the process's count of forks when the mailbox was started */
};

#define FD_CHUNK_BITS 6 /* three pages: the least that an open fd keeps */
#define FD_CHUNK (1 << FD_CHUNK_BITS)

/* Queues of the sweep: a wait is looked at after 50 ms, then after twice as long each time, up to
 * 13 s. */
#define SWEEP_LEVELS 9

struct fd_chunk {
	/* FD_CHUNK entries; shared zeros while the chunk has never been used. */
	struct hub_fd *entries;
	struct fd_sign *signs; /* FD_CHUNK of them, of signs.c; NULL before the first is needed */
	int64_t idle_since;    /* when its last descriptor left; valid while open is 0 */
	unsigned open;
	bool has_memory;
};

/* Of io/table.c. Grows on demand, so a limit of a billion descriptors costs nothing. */
struct fd_table {
	struct fd_chunk *chunks;
	unsigned size;        /* fds below this have a chunk */
	unsigned idle;        /* chunks that have memory and no descriptor */
	unsigned trimmed;     /* the chunk that the next trim begins with */
	uint64_t generations; /* the last generation given to an entry */
	uint32_t openings;    /* likewise */
	int kinds;            /* epoll set of identity.c; -1 before it is needed */
	int signs;            /* epoll set of signs.c; -1 before it is needed */
	ev_io signs_watcher;

	/* See sweep.c. */
	struct list levels[SWEEP_LEVELS];
	ev_timer sweep;
};

/* Of io/buffers.c: those that no stream has, for the next to take. */
struct buffers {
	struct buffer *first;
	unsigned kept;
	unsigned fewest; /* the least of kept since the last trim: so many were not needed */
};

/* ---- a hub ---- */

/* One per thread that uses coroutines; hub_run gives it a loop. Only its thread writes it, except
 * for fields with a comment that names another writer. */
struct hub {
	struct hub_coroutine *current;
	bool is_traced;                    /* hooks have `switched`, or there is a recorder */
	struct hub_coroutine *ready_first; /* run queue */
	struct hub_coroutine *ready_last;
	uint64_t appended; /* coroutines ever appended to the run queue */
	uint64_t taken;    /* coroutines ever taken from it; read by the watchdog */
	/* The slice (hub_slice_expired). batch is the value of appended when the loop was last
	 * left: coroutines up to there run before the next poll. */
	uint64_t batch;
	/* Switches until the clock is read again; the watchdog's thread writes this, too. */
	uint32_t ticks;
	uint32_t tick_interval; /* the value from which ticks counts down */
	int64_t now;            /* hub_now, as read once a loop and every few switches */
	int64_t slice_started;  /* hub_now when coroutines last got the thread from the loop */
	const struct hub_hooks *hooks; /* NULL for none */
	struct recorder *recorder;     /* of recorder.c; owned; NULL while nothing is recorded */
	/* The thread's own stack: runs the loop, or code outside hub_run. */
	struct hub_coroutine root;
	struct hub_coroutine *main; /* the first coroutine of hub_run */
	struct stack_arena arena;
	struct trim trim;
	struct spin spin;

	/* hub_yield_due: calls until the clock is read, and when it was last read. */
	unsigned due_interval;
	int64_t due_read;
	/* Set by the coroutine that has just switched to root for a call, or NULL. */
	struct root_call *root_call;
	struct hub_waiter *idlers;  /* coroutines in hub_idle */
	struct hub_static *statics; /* variables being initialised, of statics.c */

	struct ev_loop *loop; /* NULL outside hub_run */
	/* Waits that the loop can end, by a descriptor or a deadline. If there are none, the run
	 * queue is empty and no other thread can reach the hub, the hub is deadlocked. */
	size_t loop_waits;
	size_t scheduled; /* scheduled coroutines that have not ended */
	uint64_t ended;   /* coroutines that have ended */
	uint64_t ids;     /* the last id given to a coroutine */
	size_t selects;   /* calls of hub_select; rotates which case is tried first */
	bool is_ending;   /* the first coroutine has ended, and the others are killed */
	bool is_telling;  /* a link's callback is running: no switch is allowed */
	/* While ending: how many times waiting coroutines got EDEADLK, see run.c. */
	unsigned last_words;
	bool is_reachable; /* hub_mailbox was called: other threads may post */
	struct hub_counters *counters;
	struct hub_counters own_counters;
	struct watched watched;
	struct hub_mailbox mailbox;
	struct fd_table fds;
	struct buffers buffers;
	bool is_polling; /* inside ev_run */
	/* In a forked child: the hub is the parent's, and none of its coroutines runs again. */
	bool is_abandoned;
	/* Of io/own.c: the descriptors that libev has opened. */
	unsigned owns;
	int own[4];
	int watch_error; /* errno of the last watch that the kernel refused to libev */
	/* Functions of modules above those that call them. */
	void (*free)(struct hub *hub); /* at the end of the thread */
	void (*dump)(int fd);          /* hub_dump */
};

#endif
