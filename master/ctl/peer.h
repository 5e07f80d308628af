/* The process that listens at the other end of a control socket, as the kernel names it. */
#ifndef HUBBUB_CTL_PEER_H
#define HUBBUB_CTL_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* A server's master. */
struct peer {
	pid_t pid; /* 0 if it is not visible from here, or has ended */
	int pidfd; /* -1 then, or if the kernel has no pidfds */
};

/* Finds out which process listens where fd is connected. The caller closes the peer's pidfd, unless
 * it is -1. */
struct peer peer_of(int fd);

/* Blocks until the process has ended, for at most so many milliseconds. Returns whether it has
 * ended; false at once without a pidfd. */
bool peer_ends(const struct peer *peer, int milliseconds);

#endif
