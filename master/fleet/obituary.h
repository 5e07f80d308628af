/* The obituary: what the log says of a worker that died, and what it left behind if it crashed. */
#ifndef HUBBUB_FLEET_OBITUARY_H
#define HUBBUB_FLEET_OBITUARY_H

#include <signal.h>

#include "master/fleet/roster.h"

/* Notes how a slot's process ended, as waitid tells, and where each of its hubs crashed, if one
 * did; while its rows and the rest of its record are still there. The backtrace follows later. */
void obituary_note(const struct slot *slot, const siginfo_t *status);

#endif
