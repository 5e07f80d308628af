/* Dismissing clients that are queued at a listener whose server will serve no more. When a listener
 * is closed the kernel resets the queued connections, which looks like a crash and can destroy
 * bytes that a client has not read. So each is accepted and closed like any other connection. */
#ifndef HUBBUB_IO_DISMISS_PRIV_H
#define HUBBUB_IO_DISMISS_PRIV_H

#include <stddef.h>
#include <stdint.h>

/* Accepts the queued clients, shuts down the output to each, reads until the client has ended its
 * output, or for nanoseconds in all, and closes. *reserve is a spare fd, or -1: at the limit of
 * open files it is closed, and set to -1.
 * Switches: yes. For a killed caller, too, it does all that needs no waiting.
 * Returns how many clients it dismissed. */
size_t dismiss_queued(int listener, int *reserve, int64_t nanoseconds);

#endif
