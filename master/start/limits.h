/* The limits of the system: on open files, and others. */
#ifndef HUBBUB_START_LIMITS_H
#define HUBBUB_START_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raises the soft limit to the hard one, for this process and its children. Returns 0, or -1 after
 * logging that the hard limit is too low for so many sockets, or for any client at all. */
int limits_raise(unsigned addresses, unsigned workers, unsigned hubs);

/* Whether a running server can become one of so many workers and hubs, for which this process is to
 * open so many files more. Returns true, or false with why not, and what to do. */
bool limits_allow(
	unsigned addresses, unsigned workers, unsigned hubs, unsigned more, char *why, size_t size);

/* How many connections one worker of so many hubs may hold by the file limit. */
uint64_t limits_connections(unsigned addresses, unsigned hubs);

/* What the kernel would make of a backlog now. */
unsigned limits_backlog(unsigned backlog);

/* Warns of each limit of the system that will bite, with the command that lifts it; hubs are those
 * of a worker. */
void limits_warn(unsigned backlog, unsigned addresses, unsigned hubs);

#endif
