/* <hubbub/busy.h>: what a service tells of its connections, and is told of its hub. */
#ifndef HUBBUB_BUSY_H
#define HUBBUB_BUSY_H

#include <hubbub/api.h>
#include <stdbool.h>

HUBBUB_API_BEGIN

/* Says that the service is at work for a connection, until hubbub_idle: one that works in the
 * background while it waits for a silent client, or that will send more by itself. Until then
 * neither the idle timeout nor the request timeout ends the connection, and draining leaves it
 * alone until the deadline; the write timeout holds. At the deadline the input of all connections
 * ends, of busy ones, too: receiving returns 0 once all that has arrived is received. 0.5 s later
 * those that are still served are killed: calls that block fail with ECANCELED.
 *
 * What is not said is guessed from the bytes: a connection of which something has come since
 * something was last sent, part of a request or one that is being answered, is drained at the
 * deadline, as is one of which nothing has come yet; others half a second after their last byte.
 * The idle timeout counts from the last byte, and from when the service last did something else
 * than wait for the client. A connection in an epoll set of the service's own is taken for one that
 * waits for the client, always: a service that works for longer than a timeout says so here.
 * Switches: no.  Only in the hub that serves the connection.  Errors: none; an unknown descriptor
 * is ignored. */
void hubbub_busy(int client);

/* Says that all that has come of a connection is dealt with, though nothing may have been sent, as
 * by a service that only receives; from now on it is guessed again, until hubbub_busy.
 * Switches: no.  Only in the hub that serves the connection.  Errors: none; an unknown descriptor
 * is ignored. */
void hubbub_idle(int client);

/* Says that part of a request is here, behind those that have just been answered: an answer is
 * taken for one to all that had come before it. Said after that, it is one that has come now: the
 * request timeout counts from here, and draining leaves the connection alone until the deadline.
 * Switches: no.  Only in the hub that serves the connection.  Errors: none; an unknown descriptor
 * is ignored. */
void hubbub_asked(int client);

/* Whether this thread's hub is to end its connections, because the server stops, is reloaded,
 * upgraded or made smaller: then it accepts no more, ends idle connections, and kills what is
 * left when --drain-timeout has passed. It stays so. A service that streams asks now and then, and
 * ends at a point that suits it.
 * Switches: no; it costs a few instructions.  Errors: none; false in threads without a hub of a
 * server. */
bool hubbub_is_draining(void);

HUBBUB_API_END

#endif
