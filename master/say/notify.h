/* Words to the service manager, by sd_notify(3)'s protocol: a datagram to $NOTIFY_SOCKET. */
#ifndef HUBBUB_SAY_NOTIFY_H
#define HUBBUB_SAY_NOTIFY_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

/* Reads NOTIFY_SOCKET and WATCHDOG_USEC. */
void notify_init(void);

/* Whether the manager can be told anything now; true where there is none. */
bool notify_is_reachable(void);

/* A new master says nothing before it is the service's main process: the manager would refuse its
 * words, and log that. This begins it. */
void notify_named(void);

/* Sends lines about a state, such as "READY=1\nSTATUS=serving". Never waits; what the manager has
 * no room for is sent again, in order, until it has been taken. Without a manager it does
 * nothing. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sends the line for people, STATUS=, unless it is what was sent last, by either of these two, or
 * words about a state wait; it is not sent again. */
void notify_status(const char *text);

/* Tries again to send what has not been taken. Returns whether the manager is there and has no room
 * for all of it; one that has gone is not to be waited for. */
bool notify_awaits_room(void);

/* What has not been taken is out of date, and is not sent any more. */
void notify_forget(void);

/* Sends WATCHDOG=1, unless words about a state wait; it is not sent again. */
void notify_alive(void);

/* From now on the loop sends again what has not been taken, until notify_stop, which comes before
 * the loop is destroyed. */
void notify_start(struct ev_loop *loop);
void notify_stop(void);

/* Nanoseconds within which the manager wants to hear WATCHDOG=1; 0 if it does not. */
int64_t notify_watchdog(void);

#endif
