/* Fork. A child process has one thread and, of the parent's hubs, nothing: none of their coroutines
 * ever runs in it, none of its system calls reaches the parent's loop, and it may run a fresh hub.
 * This holds however the child is made, also for fork(2) in a coroutine: the child is then alone on
 * that coroutine's stack, must not return from its body, and ends by execve(2) or _exit(2). One of
 * vfork(2), which has its parent's memory, must call nothing of this library that switches.
 * Programs are better started by hub_process_start (io/process.h). */
#ifndef HUBBUB_FORK_H
#define HUBBUB_FORK_H

#include <stdbool.h>
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

/* Whether this is a child of vfork(2), or of a clone(2) like it: its memory, and with it all that
 * is known of hubs and their coroutines, is its parent's, while descriptors and signals are its
 * own. It must call nothing of this library that switches.
 * Switches: no.  Thread: any.  Errors: none.  It costs a system call. */
bool hub_is_vforked(void);

/* Whether the hubs that are known here are another process's: in a child of vfork(2), and of one
 * that was forked past the handlers of pthread_atfork(3), by _Fork or by a system call. There
 * blocking calls fail with EPERM, but in a child of vfork, where none may be made.
 * Switches: no.  Thread: any.  Errors: none.  It costs a system call. */
bool hub_is_inherited(void);

HUBBUB_API_END

#endif
