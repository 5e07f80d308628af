/* Telling the service manager: sd_notify(3)'s protocol, a datagram to $NOTIFY_SOCKET. No function
 * here blocks; all are for the master's thread. Without a manager they do nothing. */
#ifndef HUBBUB_SAY_NOTIFY_H
#define HUBBUB_SAY_NOTIFY_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and opens the socket; logs what is wrong
 * with them. Comes before all other functions here. */
void notify_init(void);

/* Returns false if nobody listens at the manager's socket any more; true without a manager, and
 * where this cannot be found out. */
bool notify_is_reachable(void);

/* Ends the silence of the new master of an upgrade. Until the manager knows it as the service's
 * main process it sends nothing: the manager would refuse the datagrams, and log that. */
void notify_named(void);

/* Sends lines about a state, such as "READY=1
 * STATUS=serving". If the manager's queue is full the datagram is kept, and sent again after
 * earlier ones until the manager has taken it. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sends STATUS=, the line for people, unless notify_send or this function sent the same last, or
 * datagrams about a state are unsent. Never sent again if the queue is full. */
void notify_status(const char *status);

/* Tries to send the unsent datagrams. Returns true if some are left because the manager's queue is
 * full: it is worth waiting for. False if all are sent, or the manager has gone. */
bool notify_awaits_room(void);

/* Drops the unsent datagrams: they are out of date. */
void notify_forget(void);

/* Sends WATCHDOG=1, unless datagrams about a state are unsent. Never sent again if the queue is
 * full. */
void notify_alive(void);

/* Between notify_start and notify_stop, timers of the loop send the unsent datagrams again.
 * notify_stop comes before the loop is destroyed. */
void notify_start(struct ev_loop *loop);
void notify_stop(void);

/* Returns the nanoseconds within which the manager expects WATCHDOG=1; 0 if it expects none. */
int64_t notify_watchdog(void);

#endif
