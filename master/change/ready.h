/* Readiness: whether this server serves, and how it says so, in the log and to the service
 * manager.
 *
 * Whoever is asked for it (the control socket, /readyz and /livez, metrics, the agent, systemd's
 * status and watchdog) asks here, so that all give the same answer.
 *
 *	          ready                         live
 *	starting  no                            as long as a worker may still get ready
 *	serving   a hub gave a sign of life     the same; or workers start, and it is less
 *	          within the last second        than the hang timeout since a hub served
 *	draining  no                            yes: it has its own deadlines
 *
 * Only time that the master saw pass counts: after a pause of the machine, or of the master alone,
 * both are what they were, until the hubs have had their turn. That the master's loop turns is not
 * asked: the loop itself answers, and a prober that gets no answer within its own time knows. */
#ifndef HUBBUB_CHANGE_READY_H
#define HUBBUB_CHANGE_READY_H

#include "master/master.h"

/* What status calls the phases. */
extern const char *const ready_phase_names[MASTER_PHASE_MAX];

/* Whether it serves: at least one hub that lives accepts, and it is not stopping. */
bool ready_is(const struct master *master);

/* Whether it serves, or may do so again by itself; if not, a service manager should start it
 * again. */
bool ready_is_live(const struct master *master);

/* From now on, tells the log and the service manager whenever one of these has changed while it
 * serves. */
void ready_watch(struct master *master);

/* From now on it serves: sets the phase, and logs the ready line, for which scripts wait. */
void ready_begin(struct master *master);

/* Tells the service manager that it has started, or has changed, and how it serves; and from then
 * on, every few seconds, what has changed of that, until the loop ends. */
void ready_notify(struct master *master);

#endif
