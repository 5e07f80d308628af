/* A whole worker in a child of the test's, which is its master. */
#ifndef HUBBUB_TESTS_UNIT_WORKER_CHILD_H
#define HUBBUB_TESTS_UNIT_WORKER_CHILD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/hub.h"
#include "worker/counters.h"
#include "worker/worker.h"

#define CHILD_THREADS 2

struct child {
	struct counters *counters;
	struct worker_row *rows;
	int sockets[CHILD_THREADS];
	int channel;
	int64_t drain_timeout;
	bool is_full; /* the channel, when the worker starts */
	struct sockaddr_in address;
	pid_t pid;
};

/* Services: one byte is sent back, or all. */
void child_serve_once(int client, void *context);
void child_hold(int client, void *context);

/* Forks it, with at most so many files unless that is 0. The heritage lacks only what the child
 * has. child_start binds a listener for each of its threads before. */
void child_launch(struct child *child, struct worker_heritage heritage, unsigned files);
void child_start(struct child *child, void (*serve)(int, void *), unsigned files);

/* Messages to it; and from it, of which so many of a kind are waited for. */
void child_tell(struct child *child, uint32_t kind, uint32_t hub);
bool child_hear(struct child *child, uint32_t kind, int count);

/* Waits until it is ready, and has it accept. */
void child_accept(struct child *child);

/* A client of it, or -1; and whether a byte that it sends comes back. */
int child_connect(const struct child *child);
bool child_exchange(int fd);

/* A counter of all its hubs, which is at that offset of a row. */
uint64_t child_sum(const struct child *child, size_t field);

/* How often its hubs, together, look for events in a second, which this takes. */
double child_polls(const struct child *child);

/* Waits for its end. Returns its exit code. */
int child_exit(struct child *child);

#endif
