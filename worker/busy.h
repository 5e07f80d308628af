/* <hubbub/busy.h>: what a service tells its worker about a connection, and what it can ask about
 * its hub. */
#ifndef HUBBUB_BUSY_H
#define HUBBUB_BUSY_H

#include <hubbub/api.h>
#include <stdbool.h>

HUBBUB_API_BEGIN

/* Says that the service is at work for a connection, until hubbub_idle: for a service that works in
 * the background while its client is silent, or that will send more without being asked. Until then
 * neither the idle timeout nor the request timeout ends the connection, and draining leaves it
 * alone until the deadline; the write timeout still applies. At the deadline the input of every
 * connection ends, busy or not: receiving returns 0 once everything that has arrived is received.
 * Connections that are still served 0.5 s later are killed: their blocking calls fail with
 * ECANCELED.
 *
 * Without this call the worker infers from the bytes whether a connection is in use. If something
 * has arrived since something was last sent (part of a request, or a request that is being
 * answered), or nothing has arrived yet, draining leaves the connection alone until the deadline;
 * otherwise draining ends it half a second after its last byte. The idle timeout counts from the
 * last byte, or from when the service last did something other than wait for the client, whichever
 * is later. A connection in an epoll set of the service's own always counts as waiting for the
 * client: a service that works for longer than a timeout calls hubbub_busy.
 *
 * From hubbub_busy to hubbub_idle is a request: they are counted, with their durations, in /metrics
 * (hubbub_request_duration_seconds), in the state, and on the status page. While the service is at
 * work for a connection, further calls change nothing, so that a connection has one request at a
 * time. A request also ends when the service's function returns, be it that the coroutine was
 * killed; not when the worker dies, nor when the service closes the descriptor itself: then it is
 * not counted.
 * Switches: no.  Only in the hub that serves the connection.  Errors: none; an unknown descriptor
 * is ignored. */
void hubbub_busy(int client);

/* Says that the service has dealt with everything that has arrived on a connection, even if it has
 * sent nothing, as a service that only receives. From then on the worker infers from the bytes
 * again whether the connection is in use, until the next hubbub_busy. Counts the request that began
 * with hubbub_busy; without one it counts none.
 * Switches: no.  Only in the hub that serves the connection.  Errors: none; an unknown descriptor
 * is ignored. */
void hubbub_idle(int client);

/* Says that part of the next request has arrived behind the requests that the service has just
 * answered, into a buffer of its own: otherwise an answer counts as an answer to everything that
 * had arrived before it. A stream (hubbub/io/stream.h) says so itself. The part counts as arriving
 * at this call: the request timeout starts here, and draining leaves the connection alone until the
 * deadline.
 * Switches: no.  Only in the hub that serves the connection.  Errors: none; an unknown descriptor
 * is ignored. */
void hubbub_asked(int client);

/* Whether this thread's hub is ending its connections, because the server stops, is reloaded,
 * upgraded or made smaller: the hub then accepts no more, ends idle connections, and kills the
 * connections that are left when --drain-timeout has passed. Once true, it stays true. A service
 * that streams asks now and then, and ends at a point that suits it.
 * Switches: no; it costs a few instructions.  Errors: none; false in threads without a hub of a
 * server. */
bool hubbub_is_draining(void);

HUBBUB_API_END

#endif
