/* Pools of threads, in the place of hub/thread/threads.c: each job runs on a fiber of its own, at a
 * time that is drawn. So jobs run in the order in which they were queued, or not, as with
 * threads. */
#include "hub/thread/threads_priv.h"

#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/settings.h"
#include "hub/scheduler.h"
#include "sim/loop/job_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/world/world_priv.h"

#define LONGEST (10 * HUB_MILLISECOND)
#define LIMIT_MAX 1024 /* threads that the setting may allow */

static _Thread_local bool is_in_job;

bool
threads_run_a_job(void)
{
	return is_in_job;
}

/* A job that was queued. It may have been taken back since. */
struct errand {
	struct list link; /* in errands */
	struct threads *threads;
	struct threads_job *job;
	struct host *host;
};

static struct list errands = {&errands, &errands};

/* The job's memory was another's, which was taken back: nobody runs that one any more. */
static void
forget(const struct threads_job *job)
{
	LIST_EACH (link, &errands) {
		struct errand *errand = CONTAINER_OF(link, struct errand, link);

		if (errand->job == job)
			errand->job = NULL;
	}
}

/* Whether the job is still in the queue. */
static bool
is_queued(const struct errand *errand)
{
	LIST_EACH (link, &errand->threads->queue)
		if (errand->job != NULL && link == &errand->job->link)
			return true;
	return false;
}

static bool
has_room(void *object)
{
	const struct threads *threads = object;

	return threads->count < threads->limit;
}

static void
carry_out(struct threads *threads, struct threads_job *job)
{
	threads->count++;
	list_remove(&job->link);
	job->is_queued = false;
	is_in_job = true;
	job->run(job);
	is_in_job = false;
	pthread_mutex_lock(&threads->mutex);
	job->done(job);
	threads->count--;
	pthread_mutex_unlock(&threads->mutex);
}

static void
end(struct errand *errand)
{
	list_remove(&errand->link);
	free(errand);
}

static void
run(void *object)
{
	struct errand *errand = object;
	struct pause until_room = {"a thread of the pool", has_room, NULL, errand->threads};
	struct threads_job *job;

	fiber_pause(&until_room);
	job = is_queued(errand) ? errand->job : NULL;
	if (job != NULL)
		carry_out(errand->threads, job);
	end(errand);
}

static void
begin(void *object)
{
	struct errand *errand = object;

	if (is_queued(errand))
		fiber_start(errand->host, run, errand);
	else
		end(errand);
}

int
threads_submit(struct threads *threads, struct threads_job *job)
{
	struct errand *errand = malloc(sizeof *errand);

	CHECK_WHY(errand != NULL, "no memory for a simulated world");
	forget(job);
	*errand = (struct errand){.threads = threads, .job = job, .host = fiber_host()};
	list_append(&errands, &errand->link);
	if (threads->limit == 0)
		threads->limit = (unsigned)setting_number(
			threads->setting, 1, LIMIT_MAX, threads->limit_default);
	list_append(&threads->queue, &job->link);
	job->is_queued = true;
	world_after((int64_t)world_draw(LONGEST), begin, errand);
	return 0;
}

void
threads_complain(struct threads *threads, int error)
{
	(void)threads, (void)error;
}

void
threads_reset(struct threads *threads)
{
	list_init(&threads->queue);
	threads->count = 0;
}
