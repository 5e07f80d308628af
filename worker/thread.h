/* One hub of a worker and the thread that runs it: acceptors, connections, and the commands that
 * reach it. */
#ifndef HUBBUB_WORKER_THREAD_H
#define HUBBUB_WORKER_THREAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "hub/hub.h"
#include "worker/heritage.h"

enum thread_command { THREAD_ACCEPT, THREAD_DRAIN, THREAD_STOP, THREAD_COMMAND_MAX };

struct worker;
struct worker_thread;

/* A command on its way to the hub. */
struct thread_order {
	struct hub_message message;
	struct worker_thread *thread;
	enum thread_command command;
};

struct worker_thread {
	const struct worker_heritage *heritage;
	struct worker_row *row;
	unsigned index;
	int cpu; /* to which it is pinned, or -1 */
	pthread_t handle;

	/* A coroutine that the hub runs beside its own, or NULL; its argument is leader. */
	hub_fn *companion;
	struct worker *leader;
	/* Posted there, the leading hub's mailbox, when this hub has drained and serves nobody. */
	struct hub_message idle;
	struct hub_mailbox *idle_mailbox;

	/* Known to other threads once started was posted. */
	sem_t started;
	bool has_failed;
	struct hub_mailbox *mailbox;
	struct thread_order orders[THREAD_COMMAND_MAX]; /* each is posted once at most */

	/* The hub's own from here on. */
	unsigned commanded;            /* bits 1 << thread_command */
	struct hub_event command;      /* set when another bit is */
	struct hub_pool pool;          /* its connections */
	struct hub_server **acceptors; /* one per address; owned */
};

/* Prepares a thread that does not run yet; its sockets are the heritage's for that index.
 * Returns 0, or -1 with errno ENOMEM. */
int thread_init(struct worker_thread *thread, const struct worker_heritage *heritage,
	unsigned index, struct worker *leader);
void thread_fini(struct worker_thread *thread);

/* True once THREAD_STOP has reached the hub. Its thread only. */
bool thread_is_stopping(const struct worker_thread *thread);

/* Runs the hub in the calling thread until THREAD_STOP; sets has_failed (logged) if it cannot. */
void thread_run(struct worker_thread *thread);

/* Runs it in a new thread and waits until its hub runs. Returns 0, or an errno. */
int thread_start(struct worker_thread *thread);
void thread_join(struct worker_thread *thread);

/* Gives the hub a command, once each. Any thread, once the hub runs; it ends on THREAD_STOP only,
 * so nothing may be commanded after that. */
void thread_command(struct worker_thread *thread, enum thread_command command);

#endif
