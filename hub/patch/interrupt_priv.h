/* Signals: whether a signal handler runs, and which waits a signal handler ends. */
#ifndef HUBBUB_PATCH_INTERRUPT_PRIV_H
#define HUBBUB_PATCH_INTERRUPT_PRIV_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct hub_coroutine;

/* Whether the caller runs in a signal handler. */
bool interrupt_in_handler(void);

/* The next signal of that number that pthread_kill or pthread_sigqueue sends to one thread is meant
 * for that coroutine: the handler ends its wait, and no other. */
void interrupt_aim(int number, struct hub_coroutine *coroutine);

/* How many signal handlers have run in this thread, ever; it wraps around. */
unsigned interrupt_handled(void);

/* How many signal handlers without SA_RESTART have run in this thread, ever. */
unsigned interrupt_endings(void);

/* What a signal handler does to a wait: signal(7). */
enum wait_kind {
	WAIT_RESTARTED, /* ends it with EINTR, unless the handler has SA_RESTART */
	WAIT_ENDED,     /* ends it with EINTR, SA_RESTART or not */
	WAIT_MASKED,    /* the same, before all others: this wait has a mask of its own */
};

/* What interrupt_handled and interrupt_endings were when a call first waited; all zero before that.
 * A handler that ran earlier ends none of the call's waits. */
struct since {
	bool is_known;
	unsigned handled, endings;
};

/* A wait that a signal handler may end with EINTR; on the stack of the coroutine that waits. */
struct interruptible {
	struct interruptible *next;
	struct interruptible *previous;
	struct hub_coroutine *coroutine;
	enum wait_kind kind;
	const struct since *since;
};

/* Around each blocking call of the hub that a signal may interrupt. since belongs to the patched
 * call, and is the same for all its waits. Keeps errno. */
void interruptible_begin(struct interruptible *wait, enum wait_kind kind, struct since *since);
void interruptible_end(struct interruptible *wait);

/* The thread's signal mask during a wait that brings one of its own. With mask NULL neither
 * function does anything. */
struct masked {
	bool is_set;
	sigset_t mask;
};

/* Returns false with errno EINTR if a signal handler has run as soon as the mask was set. */
bool masked_begin(struct masked *masked, const sigset_t *mask);
void masked_end(struct masked *masked);

#endif
