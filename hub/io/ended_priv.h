/* The end of a child process: whether it has ended, and waiting for that. */
#ifndef HUBBUB_IO_ENDED_PRIV_H
#define HUBBUB_IO_ENDED_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether this errno of pidfd_open(2) means that the kernel or a sandbox offers no pidfds: then the
 * calls below take pidfd -1. */
bool ended_by_looking(int error);

/* Reaps the child if it has ended; status is as waitpid's. Returns 1 (reaped), 0 (it runs), or -1
 * with errno. */
int ended_reap(int pidfd, pid_t pid, int *status);

/* Waits until ended_reap may succeed. Returns -1 with errno as hub_wait_fd, or another value. */
int ended_wait(int pidfd);

#endif
