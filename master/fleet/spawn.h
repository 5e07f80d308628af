/* The fork of a worker. */
#ifndef HUBBUB_FLEET_SPAWN_H
#define HUBBUB_FLEET_SPAWN_H

#include <sys/types.h>

#include "worker/heritage.h"

/* Forks a worker with that heritage. In the child every other descriptor is closed, signals mean
 * what a worker needs, and worker_run runs; it never returns there.
 * Returns the pid with *pidfd set, or -1 with errno. */
pid_t spawn_worker(const struct worker_heritage *heritage, int *pidfd);

#endif
