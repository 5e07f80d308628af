/* Calls are jobs of one pool of threads for the whole process. A call lies on the stack of the
 * coroutine that waits, so the coroutine stays until the job is taken back from the queue or has
 * returned: which of the two is decided under the pool's mutex. */
#include "hub/thread/offload.h"

#include <errno.h>

#include "hub/base/failed.h"
#include "hub/debug/recording.h"
#include "hub/fork_priv.h"
#include "hub/thread/threads_priv.h"
#include "hub/thread/waiter_priv.h"

static struct threads threads = THREADS("offload", "HUBBUB_OFFLOAD_THREADS", 16, threads);

/* A call: on the caller's stack, and read by the thread that runs it. */
struct call {
	struct threads_job job;
	struct thread_waiter waiter;
	hub_fn *function;
	void *argument;
	void *result;
};

static void
run(struct threads_job *job)
{
	struct call *call = CONTAINER_OF(job, struct call, job);

	call->result = call->function(call->argument);
}

static void
done(struct threads_job *job)
{
	thread_waiter_wake(&CONTAINER_OF(job, struct call, job)->waiter, 0);
}

/* No thread can be started: runs the function in this one, on the thread's own stack, which is as
 * large. Returns 0 or an errno. */
static int
call_here(struct call *call, int error)
{
	threads_complain(&threads, error);
	return hub_on_thread_stack(call->function, call->argument, &call->result) == 0 ? 0 : errno;
}

/* Submits the call and waits until the function has returned, or until the call is taken back.
 * Returns 0, or the errno that ended the wait before the function ran. Switches. */
static int
call_wait(struct call *call)
{
	int reason;

	recording_note(FLIGHT_OFFLOAD, 0, (uintptr_t)call->function);
	pthread_mutex_lock(&threads.mutex);
	reason = threads_submit(&threads, &call->job);
	if (reason != 0) {
		pthread_mutex_unlock(&threads.mutex);
		return call_here(call, reason);
	}
	reason = thread_waiter_wait(
		&call->waiter, &threads.mutex, "offload", (void *)call->function);
	if (reason == 0)
		return 0;
	pthread_mutex_lock(&threads.mutex);
	if (threads_cancel(&call->job)) {
		pthread_mutex_unlock(&threads.mutex);
		return reason;
	}
	return thread_waiter_wait_out(
		&call->waiter, &threads.mutex, "offload", (void *)call->function);
}

int
hub_offload(hub_fn *function, void *argument, void **result)
{
	struct call call = {
		.job = {.run = run, .done = done}, .function = function, .argument = argument};
	int error;

	list_init(&call.job.link);
	error = thread_waiter_init(&call.waiter);
	if (error == EPERM || (error == 0 && call.waiter.coroutine == NULL)) {
		call.result = function(argument);
		error = 0;
	} else if (error == 0) {
		error = call_wait(&call);
	}
	if (error != 0)
		return failed(error);
	if (result != NULL)
		*result = call.result;
	return 0;
}

int
hub_on_thread_stack(hub_fn *function, void *argument, void **result)
{
	void *value;

	if (hub_enter() == NULL)
		return -1;
	value = hub_call_on_root(function, argument);
	if (result != NULL)
		*result = value;
	return 0;
}

static void
reset(void)
{
	threads_reset(&threads);
}

static __attribute__((constructor(200))) void
register_reset(void)
{
	fork_on_child(reset);
}
