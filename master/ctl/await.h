/* Waiting for a server to become ready: its control socket appears some time after its process has
 * started, and the server is ready some time later. */
#ifndef HUBBUB_CTL_AWAIT_H
#define HUBBUB_CTL_AWAIT_H

#include <stddef.h>
#include <sys/types.h>

/* Blocks until a server is ready, for at most so many seconds. The server is the one at that
 * socket, or, if socket is NULL, the one whose master is pid, or, if pid is 0, the only one on this
 * machine. Returns 0, or 1 if time is up, several servers run, or process pid has ended; message
 * gets which, or "ready". */
int await_ready(const char *socket, pid_t pid, int seconds, char *message, size_t size);

#endif
