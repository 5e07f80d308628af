/* Threads and semaphores of simulated processes: a thread is a fiber of its maker's process. */
#include <errno.h>
#include <stdlib.h>

#include "sim/machine/fiber_priv.h"
#include "sim/sim.h"
#include "tests/sim/worker/instead.h"

struct thread {
	hub_fn *body;
	void *argument, *result;
	bool has_ended;
};

static void
run_thread(void *object)
{
	struct thread *thread = object;

	thread->result = thread->body(thread->argument);
	thread->has_ended = true;
}

int
process_start_thread(
	pthread_t *handle, const pthread_attr_t *attributes, hub_fn *body, void *argument)
{
	struct thread *thread = hub_sim_calloc(1, sizeof *thread);

	(void)attributes;
	if (thread == NULL)
		return EAGAIN;
	*thread = (struct thread){.body = body, .argument = argument};
	*handle = (pthread_t)(uintptr_t)thread;
	fiber_start(fiber_host(), run_thread, thread);
	return 0;
}

static bool
has_ended(void *object)
{
	return ((const struct thread *)object)->has_ended;
}

int
process_join_thread(pthread_t handle, void **result)
{
	struct thread *thread = (struct thread *)(uintptr_t)handle;

	fiber_pause(&(struct pause){
		.what = "the end of a thread", .is_over = has_ended, .object = thread});
	if (result != NULL)
		*result = thread->result;
	free(thread);
	return 0;
}

/* A semaphore's first word counts: sem_init has made it so, and 0. */
static bool
is_posted(void *object)
{
	return *(const int *)object > 0;
}

int
process_wait_semaphore(sem_t *semaphore)
{
	fiber_pause(
		&(struct pause){.what = "a semaphore", .is_over = is_posted, .object = semaphore});
	--*(int *)(void *)semaphore;
	return 0;
}

int
process_post_semaphore(sem_t *semaphore)
{
	++*(int *)(void *)semaphore;
	return 0;
}
