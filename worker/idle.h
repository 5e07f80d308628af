/* The idle, request and write timeouts of connections; and whether a connection is idle, which
 * draining asks, too. */
#ifndef HUBBUB_WORKER_IDLE_H
#define HUBBUB_WORKER_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/io/server.h"
#include "worker/heritage.h"

/* Whether any of the three timeouts is set. */
bool idle_has_timeouts(const struct worker_settings *settings);

/* The body of the coroutine that ends connections by the heritage's timeouts, one in each hub; its
 * argument is the thread. */
void *idle_run(void *argument);

/* Whether the service waits to receive (in any coroutine, by any call), has not said that it is
 * busy, and the connection's input has not been ended. */
bool idle_is_waiting(const struct hub_connection *connection);

/* Whether the service waits so, and no byte has moved for that many nanoseconds. */
bool idle_is(const struct hub_connection *connection, int64_t now, int64_t nanoseconds);

/* Whether the kernel has seen bytes, within that many nanoseconds, on a connection that seems idle:
 * a service may send and receive by calls that the hub does not see. With or_asked, also whether a
 * byte has arrived after the last one that was sent. Of a Unix socket the kernel tells only whether
 * bytes wait to be received, as they do when the hub was late. Costs a system call or two. */
bool idle_is_doubtful(int client, int64_t nanoseconds, bool or_asked);

#endif
