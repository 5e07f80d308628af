/* One worker process: threads, each with a hub, each accepting on sockets of its own. */
#ifndef HUBBUB_WORKER_WORKER_H
#define HUBBUB_WORKER_WORKER_H

#include "worker/heritage.h"

/* Runs a worker in this process until the master tells it to leave, or dies: then the worker closes
 * its listening sockets, and drains until its deadline. Starts the threads. Returns the process's
 * exit code: 0 after a drain or stop, 1 if the worker could not start (logged). */
int worker_run(const struct worker_heritage *heritage);

#endif
