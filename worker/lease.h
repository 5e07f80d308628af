/* The lease of a background function of which the server has one (background.h): only one living
 * process of all workers holds it, over all generations and upgrades. A record lock on the segment
 * of counters, which all of them share (rights.h), so it ends with its process, and not before. */
#ifndef HUBBUB_WORKER_LEASE_H
#define HUBBUB_WORKER_LEASE_H

#include <stdbool.h>

/* Takes the lease of that name, without waiting. Returns false with errno EAGAIN or EACCES if
 * another process has it, or with another errno of fcntl(2) if the kernel refuses. The
 * process must not have it; its threads share it. */
bool lease_take(const char *name);

/* Gives it back. */
void lease_return(const char *name);

#endif
