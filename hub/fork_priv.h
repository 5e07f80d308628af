#ifndef HUBBUB_FORK_PRIV_H
#define HUBBUB_FORK_PRIV_H

#include "hub/base/inside.h"
#include "hub/fork.h"

/* The most that a page has. */
#if defined(__aarch64__)
#define FORK_PAGE 65536
#else
#define FORK_PAGE 4096
#endif

/* Whose process the hubs are that this memory tells of. A page that the kernel wipes in a child
 * with memory of its own, so that one which was forked past all handlers is known for what it is at
 * the price of a load; children that share the memory are not: hub_is_vforked. */
extern union fork_page {
	pid_t owner; /* 0: nobody has adopted it */
	char page[FORK_PAGE];
} fork_page HUB_INSIDE(fork_page);

/* Whether this process forked past the handlers that would have had it forget its parent's hubs. */
static inline bool
fork_is_wiped(void)
{
	/* It changes where there is one thread. */
	return __builtin_expect(fork_page.owner == 0, 0);
}

/* In a process that has memory of its own and begins with no hub. */
void fork_adopt(void);

/* Has reset called in each child process, after those that were registered before, and before what
 * hub_at_fork has called: in the only thread that there is, where mutexes of the parent's others
 * may be locked for ever. For constructors, and whoever runs after them once: not for two threads
 * at a time. */
void fork_on_child(void (*reset)(void));

/* Makes sure that children are reset. */
void fork_prepare(void);

/* How many hubs run in the process. */
void fork_hub_started(void);
void fork_hub_stopped(void);

#endif
