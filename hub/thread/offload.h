/* Offload: runs functions that block, or compute for long, in threads of their own, while only the
 * calling coroutine waits. */
#ifndef HUBBUB_THREAD_OFFLOAD_H
#define HUBBUB_THREAD_OFFLOAD_H

#include "../coroutine.h"

HUBBUB_API_BEGIN

/* Runs function(argument) in another thread and waits for it. There are at most
 * HUBBUB_OFFLOAD_THREADS of these threads (environment; 1 to 1024, default 16); further calls wait
 * their turn. The function must not use objects of the caller's hub; it has a stack of 1 MiB, and
 * all signals are blocked, also in threads and programs that it starts. If the caller is no
 * coroutine of a running hub, for instance one of those threads, the function runs at once, in the
 * caller. If no thread can be started, it runs on the stack of the hub's thread, and a warning is
 * logged once. A kill or an expired timeout scope takes the call back while it waits its turn; a
 * function that runs cannot be stopped, so then the caller waits until it has returned.
 * Switches: yes.
 * Returns 0 with *result set (if result is not NULL), or -1 with errno ECANCELED or ETIMEDOUT; then
 * the function has not run. */
int hub_offload(hub_fn *function, void *argument, void **result);

/* Runs function(argument) on the thread's own, large stack: for library calls that need more stack
 * than a coroutine has. The function must not block: blocking calls in it fail with EPERM.
 * Switches: to that stack and back; no other coroutine runs.
 * Returns 0 with *result set (if result is not NULL), or -1 with errno EPERM (the caller is no
 * coroutine of a running hub), ECANCELED or ETIMEDOUT. */
int hub_on_thread_stack(hub_fn *function, void *argument, void **result);

HUBBUB_API_END

#endif
