/* Readiness and liveness: whether this server serves, or may again, and the reports of that to the
 * log and to the service manager.
 *
 * The control socket, /readyz and /livez, metrics, the agent, systemd's status and watchdog all ask
 * here, so that they give the same answer.
 *
 *	          ready                         live
 *	starting  no                            as long as a worker may still get ready
 *	serving   a hub gave a sign of life     the same; or workers start, and it is less
 *	          within the last second        than the hang timeout since a hub served
 *	draining  no                            yes: a drain has its own deadline
 *
 * Only time that the master saw pass counts: after a pause of the machine, or of the master alone,
 * both answers stay as before the pause until the hubs have had time to run. Whether the master's
 * own loop turns is not checked: the loop answers the probes, and a probe that times out fails. */
#ifndef HUBBUB_CHANGE_READY_H
#define HUBBUB_CHANGE_READY_H

#include "master/master.h"

/* The names of the phases, in status and for the service manager. */
extern const char *const ready_phase_names[MASTER_PHASE_MAX];

/* Whether the server serves: at least one hub that lives accepts, and the phase is
 * MASTER_SERVING. */
bool ready_is(const struct master *master);

/* Whether the server serves or may serve again by itself. If not, a service manager should restart
 * it. */
bool ready_is_live(const struct master *master);

/* Starts to log each change of the two answers in the phase MASTER_SERVING, and to tell the service
 * manager. */
void ready_watch(struct master *master);

/* The server serves from now on: sets the phase, and logs the ready line, for which scripts
 * wait. */
void ready_begin(struct master *master);

/* Tells the service manager that the server has started, or that a change has ended, with a line of
 * status. From then on the line is sent again every few seconds if it has changed, until the loop
 * ends. */
void ready_notify(struct master *master);

#endif
