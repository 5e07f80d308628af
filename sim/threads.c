/* Pools of threads without threads, in the place of hub/thread/threads.c: a job runs at a time that
 * is drawn, in the loop, as if a thread had run it meanwhile. Jobs run in the order in which they
 * were queued, or not, as with threads. */
#include "hub/thread/threads_priv.h"

#include "hub/scheduler.h"
#include "sim/job_priv.h"
#include "sim/world_priv.h"

#define LONGEST (10 * HUB_MILLISECOND)

static bool is_in_job;

bool
threads_run_a_job(void)
{
	return is_in_job;
}

/* Runs one job of the pool: any of them. A job that was taken back is not in the queue. */
static void
run_one(void *object)
{
	struct threads *threads = object;
	struct threads_job *job;
	size_t length = 0;
	struct list *link;

	LIST_EACH (each, &threads->queue)
		length++;
	if (length == 0)
		return;
	link = threads->queue.next;
	for (uint64_t skipped = world_draw(length); skipped > 0; skipped--)
		link = link->next;
	job = CONTAINER_OF(link, struct threads_job, link);
	list_remove(&job->link);
	job->is_queued = false;
	is_in_job = true;
	job->run(job);
	is_in_job = false;
	pthread_mutex_lock(&threads->mutex);
	job->done(job);
	pthread_mutex_unlock(&threads->mutex);
}

int
threads_submit(struct threads *threads, struct threads_job *job)
{
	list_append(&threads->queue, &job->link);
	job->is_queued = true;
	world_after((int64_t)world_draw(LONGEST), run_one, threads);
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
}
