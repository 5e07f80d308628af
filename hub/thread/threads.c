/* Threads take jobs from one queue under the pool's mutex. A thread that finds no job for
 * IDLE_SECONDS ends. A thread is started when the queue is longer than the number of idle threads,
 * since each idle thread may have been promised a job already. */
#include "hub/thread/threads_priv.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/base/quiet.h"
#include "hub/base/settings.h"

#define IDLE_SECONDS 5                   /* a thread without a job ends after these */
#define STACK_SIZE ((size_t)1024 * 1024) /* bytes */
#define LIMIT_MAX 1024                   /* threads that the setting may allow */

/* Waits for a job, which stays in the queue. The mutex is locked. Returns NULL after IDLE_SECONDS
 * without a job. */
static struct threads_job *
next_job(struct threads *threads)
{
	struct timespec end;
	int error = 0;

	kernel_clock(CLOCK_MONOTONIC, &end);
	end.tv_sec += IDLE_SECONDS;
	threads->idle++;
	while (list_is_empty(&threads->queue) && error == 0)
		error = pthread_cond_clockwait(
			&threads->work, &threads->mutex, CLOCK_MONOTONIC, &end);
	threads->idle--;
	if (list_is_empty(&threads->queue))
		return NULL;
	return CONTAINER_OF(threads->queue.next, struct threads_job, link);
}

static void *
carry_out(void *argument)
{
	struct threads *threads = argument;
	struct threads_job *job;

	pthread_setname_np(pthread_self(), threads->name);
	pthread_mutex_lock(&threads->mutex);
	while ((job = next_job(threads)) != NULL) {
		list_remove(&job->link);
		job->is_queued = false;
		pthread_mutex_unlock(&threads->mutex);
		job->run(job);
		pthread_mutex_lock(&threads->mutex);
		job->done(job);
	}
	threads->count--;
	pthread_mutex_unlock(&threads->mutex);
	return NULL;
}

static size_t
queue_length(const struct threads *threads)
{
	size_t length = 0;

	LIST_EACH (link, &threads->queue)
		length++;
	return length;
}

int
threads_submit(struct threads *threads, struct threads_job *job)
{
	if (threads->limit == 0)
		threads->limit = (unsigned)setting_number(
			threads->setting, 1, LIMIT_MAX, threads->limit_default);
	list_append(&threads->queue, &job->link);
	job->is_queued = true;
	/* Each idle thread may have been promised a job already. */
	if (threads->count < threads->limit && queue_length(threads) > threads->idle) {
		int error = quiet_thread_start(STACK_SIZE, carry_out, threads);

		threads->count += error == 0;
		if (error != 0 && threads->count == 0) {
			list_remove(&job->link);
			job->is_queued = false;
			return error;
		}
	}
	pthread_cond_signal(&threads->work);
	return 0;
}

void
threads_complain(struct threads *threads, int error)
{
	if (!atomic_exchange(&threads->has_complained, true))
		log_warning("no thread can be started for what blocks (%s: %s): the hub's own "
			    "does it, and everything else waits meanwhile",
			threads->name, strerror(error));
}

void
threads_reset(struct threads *threads)
{
	pthread_mutex_init(&threads->mutex, NULL);
	pthread_cond_init(&threads->work, NULL);
	list_init(&threads->queue);
	threads->count = threads->idle = 0;
}
