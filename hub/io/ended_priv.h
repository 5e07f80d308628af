/* Whether a child process has ended, and waiting for that. */
#ifndef HUBBUB_IO_ENDED_PRIV_H
#define HUBBUB_IO_ENDED_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether that errno of pidfd_open(2) means that the kernel or a sandbox has no such descriptors: a
 * process is looked at now and then, as pidfd -1 below. */
bool ended_by_looking(int error);

/* Reaps it if it has ended; status is as waitpid's. Returns 1, 0 (it runs), or -1. */
int ended_reap(int pidfd, pid_t pid, int *status);

/* Until it is worth looking. Returns -1 with errno as hub_wait_fd, or another number. */
int ended_wait(int pidfd);

#endif
