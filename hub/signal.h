/* Signals whose handler runs as a coroutine, and so may do anything. */
#ifndef HUBBUB_SIGNAL_H
#define HUBBUB_SIGNAL_H

#include "api.h"

HUBBUB_API_BEGIN

struct hub_signal;

/* Has handler(number, context) run in a coroutine of its own, of this hub, whenever the process
 * gets the signal; several that arrive before the hub looks are one. A signal belongs to one hub of
 * the process at a time. A hub that handles signals can be woken by them, so it is never found
 * deadlocked.
 * Switches: no.  Ownership: the caller's, until hub_signal_stop; what is left at the end of the hub
 * is stopped then.
 * Returns NULL with errno EINVAL (no such signal, or one that cannot be handled: SIGKILL, SIGSTOP,
 * SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGURG), EBUSY (another hub handles it), ENOMEM or EPERM (this
 * thread runs no hub). */
struct hub_signal *hub_signal_start(
	int number, void (*handler)(int number, void *context), void *context);

/* Ends that: handlers that run go on, those that have not begun never do. The signal's former
 * action is restored with its last handler; in between, for an instant, libev sets the default
 * action, by which a signal that arrives just then counts. NULL is ignored. Switches: no. */
void hub_signal_stop(struct hub_signal *signal);

HUBBUB_API_END

#endif
