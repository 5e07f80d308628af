/* A pool of threads that carry out jobs which block. Threads start as jobs come and end when idle. */
#ifndef HUBBUB_THREAD_THREADS_PRIV_H
#define HUBBUB_THREAD_THREADS_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "hub/base/list.h"

/* Embedded in what is to be done. */
struct threads_job {
	struct list link; /* in the queue until a thread takes it */
	/* In one of the threads, the mutex not locked. */
	void (*run)(struct threads_job *job);
	/* After run, in that thread, with the mutex locked; the job may be freed there. */
	void (*done)(struct threads_job *job);
	bool is_queued; /* under the mutex: no thread has taken it */
};

struct threads {
	const char *name;    /* of the threads */
	const char *setting; /* the environment variable with how many there are at most */
	unsigned limit;      /* that, once it is read; 0 before */
	unsigned limit_default;
	pthread_mutex_t mutex; /* also for what the users of these threads share */
	pthread_cond_t work;
	struct list queue;
	unsigned count; /* that run */
	unsigned idle;  /* of these, that wait for a job */
	atomic_bool has_complained;
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

/* Queues a job; the mutex is locked. Returns 0, or an errno: EAGAIN, ENOMEM (there is no thread,
 * and none can be started). */
int threads_submit(struct threads *threads, struct threads_job *job);

/* After that, for callers that do it themselves: says once that there is no thread, and why. */
void threads_complain(struct threads *threads, int error);

/* Takes a job back that no thread has taken; the mutex is locked. Returns whether it could. */
bool threads_cancel(struct threads_job *job);

/* In a child process, which has none of the threads: begins again without any. */
void threads_reset(struct threads *threads);

#endif
