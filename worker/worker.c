#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "worker/channel.h"
#include "worker/thread.h"

struct worker {
	const struct worker_heritage *heritage;
	struct worker_thread *threads;
	unsigned running; /* threads that started */
	unsigned idle;    /* hubs that have drained and serve nobody */
	int idle_fd;
};

static void
command_all(struct worker *worker, enum thread_command command)
{
	for (unsigned i = 0; i < worker->running; i++)
		thread_command(&worker->threads[i], command);
}

/* Starts the threads one after the other; the next only when the one before runs. */
static int
start_threads(struct worker *worker)
{
	const struct worker_heritage *heritage = worker->heritage;
	sem_t started;
	int error = 0;

	sem_init(&started, 0, 0);
	for (unsigned i = 0; i < heritage->threads && error == 0; i++) {
		struct worker_thread *thread = &worker->threads[i];

		thread->heritage = heritage;
		thread->sockets = heritage->sockets + i * heritage->addresses;
		thread->row = &heritage->rows[i];
		thread->index = i;
		thread->started = &started;
		thread->idle_fd = worker->idle_fd;
		error = thread_start(thread);
		if (error != 0) {
			log_error("cannot start thread %u of %u: %s (limit on processes or memory?)",
				i + 1, heritage->threads, strerror(error));
			break;
		}
		while (sem_wait(&started) != 0)
			continue;
		if (thread->has_failed) {
			thread_join(thread);
			error = ENOMEM;
			break;
		}
		worker->running++;
	}
	sem_destroy(&started);
	return error == 0 ? 0 : -1;
}

/* Does what the master says. Returns true when all hubs were told to stop. */
static bool
obey(struct worker *worker)
{
	struct channel_message message;
	ssize_t length = recv(worker->heritage->channel, &message, sizeof message, 0);

	if (length != sizeof message) {
		if (length < 0 && errno == EINTR)
			return false;
		/* The master is dead: nobody would ever adopt, reload or stop this worker. Hubs
		 * may be busy, so nothing here waits for them. */
		log_error("the master is gone; worker %u leaves", worker->heritage->index);
		_exit(1);
	}
	switch (message.kind) {
	case CHANNEL_ACCEPT:
		if (message.hub < worker->running)
			thread_command(&worker->threads[message.hub], THREAD_ACCEPT);
		return false;
	case CHANNEL_DRAIN:
		command_all(worker, THREAD_DRAIN);
		return false;
	case CHANNEL_STOP:
		return true;
	default:
		log_error("worker %u does not know message %u", worker->heritage->index,
			message.kind);
		return false;
	}
}

static void
listen_to_master(struct worker *worker)
{
	struct pollfd sources[] = {
		{.fd = worker->heritage->channel, .events = POLLIN},
		{.fd = worker->idle_fd, .events = POLLIN},
	};
	eventfd_t hubs;

	for (;;) {
		if (poll(sources, 2, -1) < 0)
			continue;
		if (sources[0].revents != 0 && obey(worker))
			return;
		if ((sources[1].revents & POLLIN) && eventfd_read(worker->idle_fd, &hubs) == 0)
			worker->idle += (unsigned)hubs;
		if (worker->idle == worker->running)
			return;
	}
}

int
worker_run(const struct worker_heritage *heritage)
{
	struct worker worker = {.heritage = heritage};
	int code;

	worker.threads = calloc(heritage->threads, sizeof *worker.threads);
	worker.idle_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker.threads == NULL || worker.idle_fd == -1) {
		log_error("worker %u cannot start: %s", heritage->index, strerror(errno));
		free(worker.threads);
		return 1;
	}
	code = start_threads(&worker) == 0 ? 0 : 1;
	if (code == 0)
		listen_to_master(&worker);
	command_all(&worker, THREAD_STOP);
	for (unsigned i = 0; i < worker.running; i++)
		thread_join(&worker.threads[i]);
	close(worker.idle_fd);
	free(worker.threads);
	return code;
}
