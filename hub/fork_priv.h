/* State that a child process must not inherit: modules register how to reset it, and a child that
 * was forked past the handlers of pthread_atfork(3) is recognised. */
#ifndef HUBBUB_FORK_PRIV_H
#define HUBBUB_FORK_PRIV_H

#include "hub/base/inside.h"
#include "hub/fork.h"

/* The largest page size of the architecture. */
#if defined(__aarch64__)
#define FORK_PAGE 65536
#else
#define FORK_PAGE 4096
#endif

/* The process whose hubs this memory holds. The kernel wipes the page in a child with memory of its
 * own (MADV_WIPEONFORK), so one load recognises a child that was forked past all handlers. A child
 * that shares the memory sees its parent's page: hub_is_vforked asks for its process id. */
extern union fork_page {
	pid_t owner; /* 0: wiped, and not adopted yet */
	char page[FORK_PAGE];
} fork_page HUB_INSIDE(fork_page);

/* Whether this process was forked past the handlers that would have reset its parent's hubs. */
static inline bool
fork_is_wiped(void)
{
	/* A plain load: the page changes only while the process has one thread. */
	return __builtin_expect(fork_page.owner == 0, 0);
}

/* Makes this process the owner. For a process with memory of its own that has no hub yet. */
void fork_adopt(void);

/* Registers reset, which each child process calls after those registered before and before the
 * functions of hub_at_fork. It runs in the child's only thread, where mutexes that other threads of
 * the parent held are locked for ever.
 * For constructors, and for later callers that call once: not for two threads at a time. */
void fork_on_child(void (*reset)(void));

/* Registers the handler that calls all resets, once per process. Later calls do nothing. */
void fork_prepare(void);

/* Count the running hubs of the process. */
void fork_hub_started(void);
void fork_hub_stopped(void);

#endif
