/* The life of one hub of a worker and of the thread that runs it, and the commands that reach
 * it. */
#ifndef HUBBUB_WORKER_THREAD_H
#define HUBBUB_WORKER_THREAD_H

#include "worker/state.h"

/* Prepares a thread, which does not run yet; its sockets are the heritage's for that index. Returns
 * 0, or -1 with errno ENOMEM. */
int thread_init(struct worker_thread *thread, const struct worker_heritage *heritage,
	unsigned index, struct worker *leader);
void thread_fini(struct worker_thread *thread);

/* Runs the hub in the calling thread until THREAD_STOP; if it cannot start, logs that and sets
 * has_failed. */
void thread_run(struct worker_thread *thread);

/* Runs the hub in a new thread, and waits until it runs. Blocks. Returns 0, or an errno. */
int thread_start(struct worker_thread *thread);
void thread_join(struct worker_thread *thread);

/* Gives the hub a command; a second time the same one has no effect. Any thread, once the hub runs.
 * Not after THREAD_STOP, which ends the hub. */
void thread_command(struct worker_thread *thread, enum thread_command command);

/* Sends the master a message about this hub; if that fails, again at each pulse. The hub's thread
 * only. */
void thread_report(struct worker_thread *thread, enum channel_kind kind, int64_t value);

#endif
