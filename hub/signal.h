/* Signal handlers that run as coroutines, and so may call any function. */
#ifndef HUBBUB_SIGNAL_H
#define HUBBUB_SIGNAL_H

#include "api.h"

HUBBUB_API_BEGIN

struct hub_signal;

/* Runs handler(number, context) in a new coroutine of this hub whenever the process gets the
 * signal; several arrivals before the hub polls count as one. A signal belongs to one hub of the
 * process at a time. A hub that handles signals is never found deadlocked, since a signal can wake
 * it.
 * Switches: no.  Ownership: the caller's, until hub_signal_stop; the end of the hub stops all that
 * are left.
 * Returns NULL with errno EINVAL (no such signal, or one that cannot be handled: SIGKILL, SIGSTOP,
 * SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGURG), EBUSY (another hub handles it), ENOMEM or EPERM (this
 * thread runs no hub). */
struct hub_signal *hub_signal_start(
	int number, void (*handler)(int number, void *context), void *context);

/* Stops handling: handlers that are running go on, those that have not begun never run. The
 * signal's former action is restored with its last handler; just before, libev sets the default
 * action for an instant, which applies to a signal that arrives then. NULL is ignored. Switches:
 * no. */
void hub_signal_stop(struct hub_signal *signal);

HUBBUB_API_END

#endif
