/* Signals: whether a handler runs, and the waits that one may end. */
#ifndef HUBBUB_PATCH_INTERRUPT_PRIV_H
#define HUBBUB_PATCH_INTERRUPT_PRIV_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct hub_coroutine;

/* Whether the caller runs in a signal's handler. */
bool interrupt_in_handler(void);

/* The next signal of that number that is sent to one thread, by pthread_kill or pthread_sigqueue,
 * is meant for that coroutine: its wait is what the handler ends, and no other's. */
void interrupt_aim(int number, struct hub_coroutine *coroutine);

/* How many handlers have run in this thread. */
unsigned interrupt_handled(void);

/* How many handlers have run in this thread that end what they interrupt. */
unsigned interrupt_endings(void);

/* What a signal's handler does to a wait: signal(7). */
enum wait_kind {
	WAIT_RESTARTED, /* ends it with EINTR, unless it was installed with SA_RESTART */
	WAIT_ENDED,     /* ends it */
	WAIT_MASKED,    /* ends it, before any other: it waits with a mask of its own */
};

/* How many handlers had run in this thread when a call first waited: all zero before that. One that
 * ran before ends none of its waits. */
struct since {
	bool is_known;
	unsigned handled, endings;
};

/* A wait that a signal's handler may end with EINTR. */
struct interruptible {
	struct interruptible *next;
	struct interruptible *previous;
	struct hub_coroutine *coroutine;
	enum wait_kind kind;
	const struct since *since;
};

/* Around each blocking call of the hub's that a signal may interrupt; since is the same for all
 * waits of one call. Keeps errno. */
void interruptible_begin(struct interruptible *wait, enum wait_kind kind, struct since *since);
void interruptible_end(struct interruptible *wait);

/* The thread's signal mask during a wait that brings one of its own. mask NULL: nothing is done. */
struct masked {
	bool is_set;
	sigset_t mask;
};

/* Returns false with errno EINTR if a handler has run already. */
bool masked_begin(struct masked *masked, const sigset_t *mask);
void masked_end(struct masked *masked);

#endif
