/* One hub thread of a worker: acceptors, connections, and the commands that reach it. */
#ifndef HUBBUB_WORKER_THREAD_H
#define HUBBUB_WORKER_THREAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "hub/base/list.h"
#include "hub/hub.h"
#include "worker/heritage.h"

enum thread_command { THREAD_ACCEPT, THREAD_DRAIN, THREAD_STOP, THREAD_COMMAND_MAX };

struct acceptor;
struct worker_thread;

/* A command on its way to the hub. */
struct thread_order {
	struct hub_message message;
	struct worker_thread *thread;
	enum thread_command command;
};

struct worker_thread {
	const struct worker_heritage *heritage;
	const int *sockets; /* this hub's, one per address */
	struct worker_row *row;
	unsigned index;
	pthread_t handle;

	/* Between the threads: written before started is posted. */
	sem_t *started;
	int idle_fd; /* eventfd: one is added when the hub has drained and serves nobody */
	bool has_failed;
	struct hub_mailbox *mailbox;
	struct thread_order orders[THREAD_COMMAND_MAX]; /* each is posted once at most */

	/* The hub's own from here on. */
	unsigned commanded;          /* bits 1 << thread_command */
	struct hub_event command;    /* set when another bit is */
	struct acceptor *acceptors;  /* one per address; owned */
	struct list connections;     /* the open ones */
	unsigned open;               /* how many those are */
	struct hub_event closed;     /* set whenever a connection closes */
};

/* Starts the thread; posts started when its hub runs, or when it has_failed (logged).
 * Returns 0, or an errno. Ownership: thread must outlive thread_join. */
int thread_start(struct worker_thread *thread);

/* Gives the hub a command, once each. Any thread, after started was posted; a hub ends on
 * THREAD_STOP only, so nothing may be commanded after that. */
void thread_command(struct worker_thread *thread, enum thread_command command);

void thread_join(struct worker_thread *thread);

#endif
