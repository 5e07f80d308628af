/* Fork. A child process has one thread and, of the parent's hubs, nothing: none of their coroutines
 * ever runs in it, none of its system calls reaches the parent's loop, and it may run a fresh hub.
 * This holds however the child is made, also for fork(2) in a coroutine: the child is then alone on
 * that coroutine's stack, must not return from its body, and ends by execve(2) or _exit(2).
 * Programs are better started by hub_process_start (io/process.h). */
#ifndef HUBBUB_FORK_H
#define HUBBUB_FORK_H

#include <sys/types.h>

#include "api.h"

HUBBUB_API_BEGIN

/* fork(2), where it is safe for what it leaves behind: refused while any hub of the process runs.
 * Switches: no.  Thread: any.
 * Returns as fork(2), or -1 with errno EBUSY (a hub runs). */
pid_t hub_fork(void);

/* Has prepare called before each fork of the process, parent after it in the parent, and child in
 * the child, where the library has forgotten the parent's hubs already. Any may be NULL; they stay
 * for ever.
 * Switches: no.  Thread: any.  Returns 0, or -1 with errno ENOMEM. */
int hub_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

HUBBUB_API_END

#endif
