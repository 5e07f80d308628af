/* The coroutine of a connection. */
#ifndef HUBBUB_LOAD_CONNECTION_H
#define HUBBUB_LOAD_CONNECTION_H

#include <stdint.h>

struct connection;

/* The body of a slot's coroutine; the argument is its struct connection. Opens, converses, closes,
 * and opens again, until it is killed or the driver is ending. Switches. */
void *connection_run(void *argument);

/* Called now and then: ends a connection that is used up or whose oldest reply is late, and tries a
 * send again that could not go on. Does not switch. */
void connection_check(struct connection *connection, int64_t now);

#endif
