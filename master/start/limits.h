/* Limits of the system: on open files, backlogs and handshakes. "hubs" is always the number in one
 * worker. */
#ifndef HUBBUB_START_LIMITS_H
#define HUBBUB_START_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raises the soft limit on open files to the hard one, for this process and its children. Returns
 * 0, or -1 after logging that the hard limit is too low for the listening sockets, or for any
 * client. */
int limits_raise(unsigned addresses, unsigned workers, unsigned hubs);

/* Whether a running server can change to so many workers and hubs, for which the master would open
 * `more` additional files. Returns true, or false with the reason and the advice in why. */
bool limits_allow(
	unsigned addresses, unsigned workers, unsigned hubs, unsigned more, char *why, size_t size);

/* Returns how many connections the limit on open files allows a worker of so many hubs; at least
 * 1. */
uint64_t limits_connections(unsigned addresses, unsigned hubs);

/* Returns the length to which the kernel would cut a backlog now. */
unsigned limits_backlog(unsigned backlog);

/* Logs each limit of the system that will bite, with the command that lifts it. */
void limits_warn(unsigned backlog, unsigned addresses, unsigned hubs);

#endif
