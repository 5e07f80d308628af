#include "hub/thread/offload.h"

#include <errno.h>

#include "hub/base/failed.h"
#include "hub/fork_priv.h"
#include "hub/thread/crew_priv.h"
#include "hub/thread/sleeper_priv.h"

static struct crew crew = CREW("offload", "HUBBUB_OFFLOAD_THREADS", 16, crew);

struct call {
	struct crew_job job;
	struct sleeper sleeper;
	hub_fn *function;
	void *argument;
	void *result;
};

static void
run(struct crew_job *job)
{
	struct call *call = CONTAINER_OF(job, struct call, job);

	call->result = call->function(call->argument);
}

static void
done(struct crew_job *job)
{
	sleeper_wake(&CONTAINER_OF(job, struct call, job)->sleeper, 0);
}

/* Where there is no thread: in this one, on a stack that is as large as theirs. Returns 0 or an
 * errno. */
static int
call_here(struct call *call, int error)
{
	crew_complain(&crew, error);
	return hub_on_thread_stack(call->function, call->argument, &call->result) == 0 ? 0 : errno;
}

/* Returns 0 or an errno; the caller's frame must stay while a thread uses the call. */
static int
call_wait(struct call *call)
{
	int reason;

	pthread_mutex_lock(&crew.mutex);
	reason = crew_submit(&crew, &call->job);
	if (reason != 0) {
		pthread_mutex_unlock(&crew.mutex);
		return call_here(call, reason);
	}
	reason = sleeper_wait(&call->sleeper, &crew.mutex, "offload", (void *)call->function);
	if (reason == 0)
		return 0;
	pthread_mutex_lock(&crew.mutex);
	if (crew_cancel(&call->job)) {
		pthread_mutex_unlock(&crew.mutex);
		return reason;
	}
	return sleeper_wait_out(&call->sleeper, &crew.mutex, "offload", (void *)call->function);
}

int
hub_offload(hub_fn *function, void *argument, void **result)
{
	struct call call = {
		.job = {.run = run, .done = done}, .function = function, .argument = argument};
	int error;

	list_init(&call.job.link);
	error = sleeper_init(&call.sleeper);
	if (error == EPERM || (error == 0 && call.sleeper.coroutine == NULL)) {
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
	struct hub_coroutine *self = hub_enter();
	struct errand errand = {function, argument, NULL, self};

	if (self == NULL)
		return -1;
	self->hub->errand = &errand;
	hub_transfer(self->hub, &self->hub->root, NULL, false);
	if (result != NULL)
		*result = errand.result;
	return 0;
}

static void
reset(void)
{
	crew_reset(&crew);
}

static __attribute__((constructor(200))) void
register_reset(void)
{
	fork_on_child(reset);
}
