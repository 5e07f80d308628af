/* The process at the other end of a control socket, as the kernel names it. */
#ifndef HUBBUB_CTL_PEER_H
#define HUBBUB_CTL_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct peer {
	pid_t pid; /* 0 if it cannot be seen from here, or has left its socket to another one */
	int pidfd; /* -1 then, or on a kernel without */
};

/* Finds out who listens where that socket is connected. Its descriptor is to be closed. */
struct peer peer_of(int fd);

/* Waits until the process has ended, for at most so many milliseconds. Returns whether it has;
 * false of one that is not known. */
bool peer_ends(const struct peer *peer, int milliseconds);

#endif
