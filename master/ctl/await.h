/* Waiting for a server that starts: it has a control socket, then serves, some time after its
 * process was started. */
#ifndef HUBBUB_CTL_AWAIT_H
#define HUBBUB_CTL_AWAIT_H

#include <stddef.h>
#include <sys/types.h>

/* Asks the server at that socket, or, if that is NULL, the one that runs here, or whose master is
 * pid (0: any), until it is ready, for at most so many seconds. Returns 0, or 1: the time is up,
 * several servers run, or the process has ended. The message says which, or "ready". */
int await_ready(const char *socket, pid_t pid, int seconds, char *message, size_t size);

#endif
