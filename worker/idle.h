/* Connections that wait for too long. */
#ifndef HUBBUB_WORKER_IDLE_H
#define HUBBUB_WORKER_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/io/server.h"
#include "worker/heritage.h"

/* Whether any of the timeouts below is set. */
bool idle_has_timeouts(const struct worker_settings *settings);

/* Ends connections by the heritage's timeouts, idle, request and write: the body of a coroutine of
 * each hub; its argument is the thread. */
void *idle_run(void *thread);

/* Whether the service waits to receive, whichever coroutine does and by whichever call, has not
 * said that it is busy, and has not been told to end. */
bool idle_is_waiting(const struct hub_connection *connection);

/* Whether it does so, and no byte has come or gone for so long. */
bool idle_is(const struct hub_connection *connection, int64_t now, int64_t nanoseconds);

/* Whether the kernel has seen bytes of an idle connection within that time, by calls that are none
 * of the hub's; or, if it is asked for, one that came after the last that was sent. It costs a
 * system call. */
bool idle_is_doubtful(int client, int64_t nanoseconds, bool or_asked);

#endif
