/* A pool of threads that run jobs which block. Threads are started as jobs come, and end when they
 * are idle. */
#ifndef HUBBUB_THREAD_THREADS_PRIV_H
#define HUBBUB_THREAD_THREADS_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "hub/base/list.h"

/* A job, embedded in an object of its submitter. */
struct threads_job {
	struct list link; /* in the queue, until a thread takes the job */
	/* Called in one of the threads, with the mutex unlocked. */
	void (*run)(struct threads_job *job);
	/* Called after run, in the same thread, with the mutex locked; the job may be freed in
	 * it. */
	void (*done)(struct threads_job *job);
	bool is_queued; /* no thread has taken the job; guarded by the mutex */
};

/* A pool. The mutex guards all fields from limit to idle. */
struct threads {
	const char *name;           /* name of each thread */
	const char *setting;        /* environment variable with the most threads that may run */
	unsigned limit;             /* the most threads that may run; 0: not read yet */
	unsigned limit_default;     /* limit if the variable is not set */
	pthread_mutex_t mutex;      /* also guards what submitters share with their jobs */
	pthread_cond_t work;        /* signalled for each new job */
	struct list queue;          /* jobs that no thread has taken */
	unsigned count;             /* running threads */
	unsigned idle;              /* running threads that wait for a job */
	atomic_bool has_complained; /* threads_complain has logged */
};

#define THREADS(threads_name, threads_setting, threads_limit, variable)                            \
	{                                                                                          \
		.name = (threads_name), .setting = (threads_setting),                              \
		.limit_default = (threads_limit), .mutex = PTHREAD_MUTEX_INITIALIZER,              \
		.work = PTHREAD_COND_INITIALIZER, .queue = {                                       \
			&(variable).queue,                                                         \
			&(variable).queue                                                          \
		}                                                                                  \
	}

/* Queues a job, and starts a thread for it if needed; the mutex is locked. Returns 0, or an errno,
 * EAGAIN or ENOMEM: no thread runs, and none can be started; then the job is not queued. */
int threads_submit(struct threads *threads, struct threads_job *job);

/* Logs a warning, once, that no thread can be started, with the errno of threads_submit: the caller
 * runs the job itself. */
void threads_complain(struct threads *threads, int error);

/* Takes a job back if no thread has taken it; the mutex is locked. Returns whether it did. */
static inline bool
threads_cancel(struct threads_job *job)
{
	if (!job->is_queued)
		return false;
	list_remove(&job->link);
	job->is_queued = false;
	return true;
}

/* Begins anew in a child process after fork, which has none of the threads. */
void threads_reset(struct threads *threads);

#endif
