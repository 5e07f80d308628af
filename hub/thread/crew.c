#include "hub/thread/crew_priv.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/base/settings.h"

#define IDLE_SECONDS 5
#define STACK_SIZE ((size_t)1024 * 1024)
#define LIMIT_MAX 1024

/* The mutex is locked. Returns NULL after IDLE_SECONDS without a job. */
static struct crew_job *
next_job(struct crew *crew)
{
	struct timespec end;
	int error = 0;

	kernel_clock(CLOCK_MONOTONIC, &end);
	end.tv_sec += IDLE_SECONDS;
	crew->idle++;
	while (list_is_empty(&crew->queue) && error == 0)
		error = pthread_cond_clockwait(&crew->work, &crew->mutex, CLOCK_MONOTONIC, &end);
	crew->idle--;
	if (list_is_empty(&crew->queue))
		return NULL;
	return CONTAINER_OF(crew->queue.next, struct crew_job, link);
}

static void *
crew_thread(void *argument)
{
	struct crew *crew = argument;
	struct crew_job *job;

	pthread_setname_np(pthread_self(), crew->name);
	pthread_mutex_lock(&crew->mutex);
	while ((job = next_job(crew)) != NULL) {
		list_remove(&job->link);
		job->is_queued = false;
		pthread_mutex_unlock(&crew->mutex);
		job->run(job);
		pthread_mutex_lock(&crew->mutex);
		job->done(job);
	}
	crew->threads--;
	pthread_mutex_unlock(&crew->mutex);
	return NULL;
}

/* Signals are for the threads that run hubs. */
static int
start_thread(struct crew *crew)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	kernel_calls_begin();
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, crew_thread, crew);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	kernel_calls_end();
	pthread_attr_destroy(&attributes);
	if (error == 0)
		crew->threads++;
	return error;
}

static size_t
queue_length(const struct crew *crew)
{
	size_t length = 0;

	LIST_EACH (link, &crew->queue)
		length++;
	return length;
}

int
crew_submit(struct crew *crew, struct crew_job *job)
{
	if (crew->limit == 0)
		crew->limit =
			(unsigned)setting_number(crew->setting, 1, LIMIT_MAX, crew->limit_default);
	list_append(&crew->queue, &job->link);
	job->is_queued = true;
	/* Idle threads may each have been promised a job already. */
	if (crew->threads < crew->limit && queue_length(crew) > crew->idle) {
		int error = start_thread(crew);

		if (error != 0 && crew->threads == 0) {
			list_remove(&job->link);
			job->is_queued = false;
			return error;
		}
	}
	pthread_cond_signal(&crew->work);
	return 0;
}

void
crew_complain(struct crew *crew, int error)
{
	if (!atomic_exchange(&crew->has_complained, true))
		log_warning("no thread can be started for what blocks (%s: %s): the hub's own "
			    "does it, and everything else waits meanwhile",
			crew->name, strerror(error));
}

bool
crew_cancel(struct crew_job *job)
{
	if (!job->is_queued)
		return false;
	list_remove(&job->link);
	job->is_queued = false;
	return true;
}

void
crew_reset(struct crew *crew)
{
	pthread_mutex_init(&crew->mutex, NULL);
	pthread_cond_init(&crew->work, NULL);
	list_init(&crew->queue);
	crew->threads = crew->idle = 0;
}
