/* Fork. A child process has one thread and none of the parent's hubs: none of their coroutines ever
 * runs in it, none of its system calls reaches the parent's loop, and it may run a fresh hub. This
 * holds however the child is made, also for fork(2) in a coroutine: the child is then alone on that
 * coroutine's stack, must not return from its body, and ends by execve(2) or _exit(2). A child of
 * vfork(2), which shares its parent's memory, must call no function of this library that switches.
 * To start a program, prefer hub_process_start (io/process.h). */
#ifndef HUBBUB_FORK_H
#define HUBBUB_FORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "api.h"

HUBBUB_API_BEGIN

/* fork(2), refused while any hub of the process runs, whose coroutines the child would lose.
 * Switches: no.  Thread: any.
 * Returns as fork(2), or -1 with errno EBUSY (a hub runs). */
pid_t hub_fork(void);

/* Registers functions for every later fork of the process: prepare runs before it, parent after it
 * in the parent, child after it in the child, where the library has already forgotten the parent's
 * hubs. Any may be NULL; they stay registered for ever.
 * Switches: no.  Thread: any.  Returns 0, or -1 with errno ENOMEM. */
int hub_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* Whether this process is a child of vfork(2), or of a clone(2) like it: its memory, with all
 * records of hubs and coroutines, is its parent's, while its descriptors and signals are its own.
 * It must call no function of this library that switches.
 * Switches: no.  Thread: any.  Errors: none.  Costs a system call. */
bool hub_is_vforked(void);

/* Whether the hubs in this memory are another process's: true in a child of vfork(2), and in a
 * child that was forked past the handlers of pthread_atfork(3), by _Fork or by a system call. In
 * the latter blocking calls fail with EPERM; in a child of vfork none may be made.
 * Switches: no.  Thread: any.  Errors: none.  Costs a system call. */
bool hub_is_inherited(void);

HUBBUB_API_END

#endif
