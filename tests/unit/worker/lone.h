/* One thread of a worker, which a test runs on a hub of its own: its listener is on loopback, and
 * it has no permits. */
#ifndef HUBBUB_TESTS_UNIT_WORKER_LONE_H
#define HUBBUB_TESTS_UNIT_WORKER_LONE_H

#include <netinet/in.h>

#include "worker/counters.h"
#include "worker/thread.h"

struct lone {
	struct worker_thread thread;
	struct worker_heritage heritage;
	struct worker_row *row;
	struct sockaddr_in address;
	struct counters *counters;
	int file, listener;
};

/* It stays where it is. */
void lone_begin(struct lone *lone, void (*serve)(int client, void *context));
void lone_end(struct lone *lone);

#endif
