/* The life of one hub of a worker and of the thread that runs it, and the orders that reach it. */
#ifndef HUBBUB_WORKER_THREAD_H
#define HUBBUB_WORKER_THREAD_H

#include "worker/state.h"

/* Prepares a thread that does not run yet; its sockets are the heritage's for that index.
 * Returns 0, or -1 with errno ENOMEM. */
int thread_init(struct worker_thread *thread, const struct worker_heritage *heritage,
	unsigned index, struct worker *leader);
void thread_fini(struct worker_thread *thread);

/* Runs the hub in the calling thread until THREAD_STOP; sets has_failed (logged) if it cannot. */
void thread_run(struct worker_thread *thread);

/* Runs it in a new thread and waits until its hub runs. Returns 0, or an errno. */
int thread_start(struct worker_thread *thread);
void thread_join(struct worker_thread *thread);

/* Gives the hub a command, once each. Any thread, once the hub runs; it ends on THREAD_STOP only,
 * so nothing may be commanded after that. */
void thread_command(struct worker_thread *thread, enum thread_command command);

/* Waits until the hub gets a command, or, while it leaves, until a connection ends; so many
 * nanoseconds at most. The hub's thread only. Switches: yes.  Returns 0, or -1 if the caller was
 * killed. */
int thread_rest(struct worker_thread *thread, int64_t nanoseconds);

/* Tells the master, again at each pulse until it can be told. The hub's thread only. */
void thread_report(struct worker_thread *thread, enum channel_kind kind, int64_t value);

#endif
