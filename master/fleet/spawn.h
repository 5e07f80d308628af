/* The fork of a worker process. */
#ifndef HUBBUB_FLEET_SPAWN_H
#define HUBBUB_FLEET_SPAWN_H

#include <sys/types.h>

#include "worker/heritage.h"

/* Forks a worker with this heritage. The child closes every file descriptor that the heritage does
 * not name, resets its signals, runs worker_run and exits; only the parent returns. * Returns the
 * pid with *pidfd set (-1 where the system refuses pidfds), or -1 with errno. */
pid_t spawn_worker(const struct worker_heritage *heritage, int *pidfd);

#endif
