/* Offload: functions that block, or compute for long, carried out by threads of their own while
 * only the calling coroutine waits. */
#ifndef HUBBUB_THREAD_OFFLOAD_H
#define HUBBUB_THREAD_OFFLOAD_H

#include "../coroutine.h"

HUBBUB_API_BEGIN

/* Runs function(argument) in another thread, of which there are at most HUBBUB_OFFLOAD_THREADS
 * (environment; 1 to 1024, default 16), and waits for it; more calls than threads wait their turn.
 * The function must not use what belongs to the caller's hub; it has a stack of 1 MiB and all
 * signals blocked, as what it starts then has. Where no coroutine of a running hub calls this, such
 * as in one of those threads, the function runs at once, in the caller; so it does on the stack of
 * the hub's thread where no other thread can be started, which is said once. A kill or an expired
 * scope takes the call back while it waits its turn; a function that runs cannot be stopped, so the
 * caller then stays until it has returned.
 * Switches: yes.
 * Returns 0 with *result set (where result is not NULL), or -1 with errno ECANCELED or ETIMEDOUT;
 * then the function has not run. */
int hub_offload(hub_fn *function, void *argument, void **result);

/* Runs function(argument) on the thread's own, big stack: for library calls that need more than a
 * coroutine has. It must not block: blocking calls in it fail with EPERM.
 * Switches: to that stack and back; no other coroutine runs.
 * Returns 0 with *result set (where result is not NULL), or -1 with errno EPERM (no coroutine of a
 * running hub calls this), ECANCELED or ETIMEDOUT. */
int hub_on_thread_stack(hub_fn *function, void *argument, void **result);

HUBBUB_API_END

#endif
