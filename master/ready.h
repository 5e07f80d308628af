/* Readiness: whether this server serves, and how it says so, in the log and to the service
 * manager.
 *
 * Whoever is asked for it (the control socket, /readyz, the agent) asks here, so that all give the
 * same answer. */
#ifndef HUBBUB_MASTER_READY_H
#define HUBBUB_MASTER_READY_H

#include "master/master.h"

/* What status calls the phases. */
extern const char *const ready_phase_names[MASTER_PHASE_MAX];

/* Whether it serves: at least one hub accepts, and it is not stopping. */
bool ready_is(const struct master *master);

/* From now on it serves: sets the phase, and logs the ready line, for which scripts wait. */
void ready_begin(struct master *master);

/* Tells the service manager that, and in what shape, the server serves. */
void ready_notify(const struct master *master);

#endif
