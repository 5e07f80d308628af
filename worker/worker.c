/* The first hub runs on the process's own thread and leads: a coroutine of it starts the others and
 * does what the master says. So a worker of one thread is a process of one thread, in which every
 * system call on a descriptor is cheaper, since the kernel need not guard the table against another
 * thread. */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/list.h"
#include "hub/base/log.h"
#include "worker/channel.h"
#include "worker/thread.h"

struct worker {
	const struct worker_heritage *heritage;
	struct worker_thread *threads;
	unsigned running;       /* hubs that started, the first included */
	unsigned idle;          /* hubs that have drained and serve nobody */
	struct hub_event idled; /* set whenever idle grows */
	bool has_failed;
};

static void
command_all(struct worker *worker, enum thread_command command)
{
	for (unsigned i = 0; i < worker->running; i++)
		thread_command(&worker->threads[i], command);
}

/* In the first hub: another hub, or this one, has become idle. */
static void
deliver_idle(struct hub_message *message)
{
	struct worker_thread *thread = CONTAINER_OF(message, struct worker_thread, idle);
	struct worker *worker = thread->leader;

	worker->idle++;
	hub_event_set(&worker->idled);
}

/* Starts the threads of the other hubs, one after the other. Blocks its hub meanwhile, which does
 * not serve yet. */
static int
start_others(struct worker *worker)
{
	for (unsigned i = 0; i < worker->heritage->threads; i++)
		worker->threads[i].idle_mailbox = worker->threads[0].mailbox;
	for (unsigned i = 1; i < worker->heritage->threads; i++) {
		int error = thread_start(&worker->threads[i]);

		if (error != 0) {
			log_error(
				"cannot start thread %u of %u: %s (limit on processes or memory?)",
				i + 1, worker->heritage->threads, strerror(error));
			return -1;
		}
		worker->running++;
	}
	return 0;
}

/* Does what one message says. Returns false when the worker is to stop. */
static bool
obey(struct worker *worker, const struct channel_message *message)
{
	switch (message->kind) {
	case CHANNEL_ACCEPT:
		if (message->hub < worker->running)
			thread_command(&worker->threads[message->hub], THREAD_ACCEPT);
		return true;
	case CHANNEL_DRAIN:
		command_all(worker, THREAD_DRAIN);
		return true;
	case CHANNEL_STOP:
		return false;
	default:
		log_error("worker %u does not know message %u", worker->heritage->index,
			message->kind);
		return true;
	}
}

static void *
obey_master(void *argument)
{
	struct worker *worker = argument;
	struct channel_message message;
	ssize_t length;

	do {
		/* Not hub_recv, which would count these bytes as the clients'. */
		if (hub_wait_fd(worker->heritage->channel, POLLIN) < 0)
			return NULL;
		length = recv(worker->heritage->channel, &message, sizeof message, MSG_DONTWAIT);
		if (length != sizeof message) {
			/* The master is dead: nobody would ever reload or stop this worker. */
			log_error("the master is gone; worker %u leaves", worker->heritage->index);
			_exit(1);
		}
	} while (obey(worker, &message));
	worker->idle = worker->running;
	hub_event_set(&worker->idled);
	return NULL;
}

/* The coroutine that leads: when it returns, so does the worker. The first hub ends last, because
 * the others post to its mailbox. */
static void *
lead(void *argument)
{
	struct worker *worker = argument;
	struct hub_coroutine *ear;

	worker->running = 1;
	worker->has_failed = start_others(worker) != 0;
	ear = worker->has_failed ? NULL : hub_spawn(obey_master, worker);
	if (ear != NULL) {
		hub_set_name(ear, "master's ear");
		hub_detach(ear);
	} else {
		worker->has_failed = true;
		worker->idle = worker->running;
	}
	while (worker->idle < worker->running) {
		hub_event_clear(&worker->idled);
		if (hub_event_wait(&worker->idled) != 0)
			return NULL;
	}
	for (unsigned i = 1; i < worker->running; i++) {
		thread_command(&worker->threads[i], THREAD_STOP);
		thread_join(&worker->threads[i]);
	}
	thread_command(&worker->threads[0], THREAD_STOP);
	return NULL;
}

static int
prepare_threads(struct worker *worker)
{
	const struct worker_heritage *heritage = worker->heritage;

	worker->threads = calloc(heritage->threads, sizeof *worker->threads);
	for (unsigned i = 0; worker->threads != NULL && i < heritage->threads; i++)
		if (thread_init(&worker->threads[i], heritage, i, worker) != 0)
			return -1;
	if (worker->threads == NULL)
		return -1;
	for (unsigned i = 0; i < heritage->threads; i++)
		worker->threads[i].idle.deliver = deliver_idle;
	worker->threads[0].companion = lead;
	return 0;
}

int
worker_run(const struct worker_heritage *heritage)
{
	struct worker worker = {.heritage = heritage};

	hub_event_init(&worker.idled);
	if (prepare_threads(&worker) != 0) {
		log_error("worker %u has no memory for its threads", heritage->index);
		return 1;
	}
	thread_run(&worker.threads[0]);
	if (worker.threads[0].has_failed)
		worker.has_failed = true;
	for (unsigned i = 0; i < heritage->threads; i++)
		thread_fini(&worker.threads[i]);
	free(worker.threads);
	return worker.has_failed ? 1 : 0;
}
