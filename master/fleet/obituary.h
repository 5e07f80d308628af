/* The obituary: how a worker died, and where it crashed, for the log and the history. */
#ifndef HUBBUB_FLEET_OBITUARY_H
#define HUBBUB_FLEET_OBITUARY_H

#include <signal.h>

#include "master/fleet/roster.h"

/* Logs how the slot's process ended (status is from waitid; si_code is 0 and si_errno set if waitid
 * failed), and the crash of each of its hubs. The slot must still have its rows. The backtrace
 * follows later (lookup.h). */
void obituary_note(const struct slot *slot, const siginfo_t *status);

#endif
