/* Words to the service manager, by sd_notify(3)'s protocol: a datagram to $NOTIFY_SOCKET. */
#ifndef HUBBUB_MASTER_NOTIFY_H
#define HUBBUB_MASTER_NOTIFY_H

#include <stdint.h>

/* Reads NOTIFY_SOCKET and WATCHDOG_USEC. */
void notify_init(void);

/* Sends lines such as "READY=1\nSTATUS=serving". Never waits; without a manager it does nothing. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Nanoseconds within which the manager wants to hear WATCHDOG=1; 0 if it does not. */
int64_t notify_watchdog(void);

#endif
