/* A connection's life. */
#ifndef HUBBUB_LOAD_CONNECTION_H
#define HUBBUB_LOAD_CONNECTION_H

#include <stdint.h>

struct connection;

/* The body of a connection's coroutine: opens, converses, closes, opens again; argument is a struct
 * connection. Ends when killed, or when the driver is ending. */
void *connection_run(void *connection);

/* Looks after it, from time to time: replies that are late, sends that could not go on. */
void connection_check(struct connection *connection, int64_t now);

#endif
