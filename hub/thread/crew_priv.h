/* A crew: threads that carry out jobs which block. Threads start as jobs come and end when idle. */
#ifndef HUBBUB_THREAD_CREW_PRIV_H
#define HUBBUB_THREAD_CREW_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "hub/base/list.h"

/* Embedded in what is to be done. */
struct crew_job {
	struct list link; /* in the queue until a thread takes it */
	/* In one of the threads, the mutex not locked. */
	void (*run)(struct crew_job *job);
	/* After run, in that thread, with the mutex locked; the job may be freed there. */
	void (*done)(struct crew_job *job);
	bool is_queued; /* under the mutex: no thread has taken it */
};

struct crew {
	const char *name;    /* of the threads */
	const char *setting; /* the environment variable with how many there are at most */
	unsigned limit;      /* that, once it is read; 0 before */
	unsigned limit_default;
	pthread_mutex_t mutex; /* also for what the crew's users share */
	pthread_cond_t work;
	struct list queue;
	unsigned threads;
	unsigned idle;
	atomic_bool has_complained;
};

#define CREW(crew_name, crew_setting, crew_limit, variable)                                        \
	{                                                                                          \
		.name = (crew_name), .setting = (crew_setting), .limit_default = (crew_limit),     \
		.mutex = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .queue = {   \
			&(variable).queue,                                                         \
			&(variable).queue                                                          \
		}                                                                                  \
	}

/* Queues a job; the mutex is locked. Returns 0, or an errno: EAGAIN, ENOMEM (there is no thread,
 * and none can be started). */
int crew_submit(struct crew *crew, struct crew_job *job);

/* After that, for callers that do it themselves: says once that there is no thread, and why. */
void crew_complain(struct crew *crew, int error);

/* Takes a job back that no thread has taken; the mutex is locked. Returns whether it could. */
bool crew_cancel(struct crew_job *job);

/* Makes it as new, in a child process, which has none of the threads. */
void crew_reset(struct crew *crew);

#endif
