#ifndef HUBBUB_FORK_PRIV_H
#define HUBBUB_FORK_PRIV_H

#include "hub/fork.h"

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
