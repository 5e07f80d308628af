/* The first hub runs on the process's own thread and leads: its leader coroutine starts the other
 * threads, and its receiver coroutine acts on the master's messages. So a worker of one thread is a
 * process of one thread, in which every system call on a descriptor is cheaper, since the kernel
 * need not lock the descriptor table. Invariant: a command goes only to a hub that runs. The first
 * hub ends last, and before any hub ends, running is 0. */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/log.h"
#include "worker/access.h"
#include "worker/alone.h"
#include "worker/captured.h"
#include "worker/channel.h"
#include "worker/crash.h"
#include "worker/flush.h"
#include "worker/handoff.h"
#include "worker/hook.h"
#include "worker/leader.h"
#include "worker/log_priv.h"
#include "worker/orphan.h"
#include "worker/queued.h"
#include "worker/reply.h"
#include "worker/spare.h"
#include "worker/stacks.h"

/* How often to look for the end of the last connection, if no news comes. */
#define REST_MOST (100 * HUB_MILLISECOND)
/* The pause after the channel could not be watched for want of memory. */
#define RECEIVE_AGAIN (10 * HUB_MILLISECOND)

/* Starts the threads of the other hubs, one after the other. Blocks the first hub, which does not
 * serve yet. */
static int
start_others(struct worker *worker)
{
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

/* ---- messages from the master ---- */

/* Takes over the queue of another hub: accepts clients from it, or, in a drain, empties it as this
 * worker's own queues. */
static void
adopt(struct worker *worker, const struct channel_message *message, int listener)
{
	struct worker_thread *first = &worker->threads[0];
	unsigned address = (unsigned)message->value;

	CHECK_WHY(address < worker->heritage->addresses, "the master names an address of its own");
	if (!worker->is_leaving)
		handoff_adopt(first, listener, address, message->count);
	else if (worker->is_last && !worker->is_to_stop && worker->running > 0 && first->has_begun)
		queued_adopt(first, listener, address);
	else
		close(listener);
}

/* One of the logs goes on in that file. Returns false if it could not be made to. */
static bool
reopen(const struct worker *worker, int64_t log, int file)
{
	return log == CHANNEL_ACCESS_LOG ? access_reopen(worker->heritage, file)
					 : captured_reopen(file);
}

static void
on_message(struct worker *worker, const struct channel_message *message, int descriptor)
{
	switch (message->kind) {
	case CHANNEL_ACCEPT:
		CHECK_WHY(!worker->is_leaving, "who was told to leave is not told to accept");
		leader_command(worker, THREAD_ACCEPT);
		break;
	case CHANNEL_ADOPT:
		if (descriptor != -1)
			adopt(worker, message, descriptor);
		return;
	case CHANNEL_HANDOVER:
		leader_leave(worker, THREAD_HANDOVER, message->value);
		break;
	case CHANNEL_DRAIN:
		worker->is_last = !worker->is_leaving;
		leader_leave(worker, THREAD_DRAIN, message->value);
		break;
	case CHANNEL_STOP:
		leader_stop(worker);
		break;
	case CHANNEL_DUMP:
		if (descriptor != -1 &&
			stacks_write(worker->threads, worker->running, descriptor, message->value))
			return;
		thread_report(&worker->threads[0], CHANNEL_DUMP_MISSED, message->value);
		break;
	case CHANNEL_REOPEN:
		if (descriptor == -1 || !reopen(worker, message->value, descriptor))
			thread_report(&worker->threads[0], CHANNEL_REOPEN_MISSED, message->value);
		break;
	case CHANNEL_ASK:
		if (descriptor != -1 && !worker->is_leaving) {
			reply_start(&worker->threads[0], message->value, descriptor);
			return;
		}
		break;
	case CHANNEL_QUIT:
		flush_before_exit(0);
		_exit(0);
	default:
		log_error("worker %u got an unknown message (%u) from the master",
			worker->heritage->index, message->kind);
	}
	if (descriptor != -1)
		close(descriptor);
}

static void *
receive_messages(void *argument)
{
	struct worker *worker = argument;
	struct channel_message message;
	int descriptor, result;

	for (;;) {
		/* Not hub_recv, which would count these bytes among the clients'. */
		if (hub_wait_fd(worker->heritage->channel, POLLIN) < 0) {
			/* For want of memory: tries again. A killed coroutine returns. */
			if (hub_sleep(RECEIVE_AGAIN) != 0)
				return NULL;
			continue;
		}
		result = channel_receive(worker->heritage->channel, &message, &descriptor);
		if (result == CHANNEL_GONE) {
			alone_drain(worker);
			return NULL;
		}
		if (result == CHANNEL_MESSAGE)
			on_message(worker, &message, descriptor);
		/* The message's descriptor may have taken the spare one's place. */
		spare_keep();
	}
}

/* ---- leading ---- */

/* Waits until adopted queues have ended, too, and the connections from there: they may have come
 * after all hubs were quiet, or idle. */
static void
wait_adopted(const struct worker *worker)
{
	struct worker_thread *first = &worker->threads[0];

	while (queued_has_adopted(first) || hub_pool_count(&first->pool) > 0 ||
		!list_is_empty(&first->parcels)) {
		int64_t most = LEADER_FINISH_TIME;

		if (queued_has_adopted(first))
			most += QUEUED_DISMISS_TIME;
		if (worker->is_to_stop && hub_now() - worker->stopped >= most)
			return;
		if (thread_rest(first, REST_MOST) != 0)
			return;
	}
}

static int64_t
until_leaving(const void *worker)
{
	return ((const struct worker *)worker)->is_leaving ? 0 : HUB_FOREVER;
}

static int64_t
until_stopped(const void *worker)
{
	return leader_deadline(worker, LEADER_HOOK_TIME);
}

/* From the first hub to the last start hook. Returns whether the worker can serve. */
static bool
begin(struct worker *worker)
{
	struct worker_thread *first = &worker->threads[0];
	struct call_limit limit = {until_leaving, worker, &worker->changed};

	CHECK_WHY(worker->running == 1, "worker_start runs before there are other threads");
	worker->has_begun = hook_start(first, MEMO_WORKER_START, limit);
	if (!worker->has_begun || worker->is_leaving || start_others(worker) != 0)
		return false;
	for (unsigned i = 0; i < worker->running; i++)
		worker->threads[i].sibling_count = worker->running;
	leader_command(worker, THREAD_BEGIN);
	leader_wait(worker, THREAD_BEGUN, LEADER_FINISH_TIME);
	if (worker->news[THREAD_BEGUN] < worker->running)
		return false;
	for (unsigned i = 0; i < worker->running; i++)
		if (!worker->threads[i].has_begun)
			return false;
	return !worker->heritage->is_reloaded || hook_start(first, MEMO_RELOADED, limit);
}

/* From the time at which the worker is to leave to the end of its last connection. */
static void
let_end(struct worker *worker)
{
	/* Includes the time in which clients that are still queued are let go. */
	leader_wait(worker, THREAD_QUIET, LEADER_FINISH_TIME + QUEUED_DISMISS_TIME);
	leader_command(worker, THREAD_EMPTY);
	leader_wait(worker, THREAD_IDLE, LEADER_FINISH_TIME);
	wait_adopted(worker);
	if (worker->news[THREAD_QUIET] < worker->running) {
		flush_before_exit(1);
		_exit(1); /* a hub is stuck, and its thread cannot be joined */
	}
}

/* Ends all hubs but the first, which may run the last hook. */
static void
end(struct worker *worker)
{
	struct call_limit limit = {until_stopped, worker, &worker->changed};
	unsigned running = worker->running;

	CHECK_WHY(worker->closed == 0, "a worker ends once");
	worker->closed = hub_now();
	leader_command(worker, THREAD_CLOSE);
	leader_wait(worker, THREAD_CLOSED, LEADER_HOOK_TIME);
	/* From here on the receiver commands no hub. */
	worker->running = 0;
	for (unsigned i = 1; i < running; i++) {
		thread_command(&worker->threads[i], THREAD_STOP);
		thread_join(&worker->threads[i]);
	}
	worker->closed = hub_now();
	/* Background functions of the first hub that still run use what worker_stop ends. */
	if (worker->has_begun && worker->threads[0].keeping > 0)
		log_warning("worker_stop of worker %u does not run: a background function has not "
			    "returned in time",
			worker->heritage->index);
	else if (worker->has_begun)
		hook_stop(&worker->threads[0], MEMO_WORKER_STOP, limit);
	thread_command(&worker->threads[0], THREAD_STOP);
}

/* The leader's coroutine: when it returns, the worker ends. The first hub ends last, because the
 * others post to its mailbox; and no hub ends before all are quiet, because hubs hand each other
 * connections. */
static void *
lead(void *argument)
{
	struct worker *worker = argument;
	struct hub_coroutine *receiver = hub_spawn(receive_messages, worker);

	worker->running = 1;
	worker->has_failed = receiver == NULL;
	if (receiver != NULL) {
		hub_set_name(receiver, "master channel");
		hub_detach(receiver);
		if (begin(worker))
			thread_report(&worker->threads[0], CHANNEL_READY, 0);
		else
			worker->has_failed = !worker->is_leaving;
	}
	if (worker->has_failed) {
		leader_fail(worker);
	} else {
		leader_wait_leaving(worker);
		let_end(worker);
	}
	end(worker);
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
	for (unsigned i = 0; i < heritage->threads; i++) {
		worker->threads[i].on_news = leader_on_news;
		worker->threads[i].siblings = worker->threads;
	}
	worker->threads[0].companion = lead;
	return 0;
}

int
worker_run(const struct worker_heritage *heritage)
{
	struct worker worker = {.heritage = heritage};

	hub_event_init(&worker.changed);
	spare_keep();
	crash_install(&heritage->rows[0]);
	/* First own the rows, then check that the master lives: no other master can fold them in
	 * between. */
	if (counters_hold(heritage->counters, heritage->rows, heritage->threads) != 0) {
		log_error(
			"worker %u cannot hold its counters: %s", heritage->index, strerror(errno));
		return 1;
	}
	if (heritage->master != 0 && orphan_prepare(heritage->master) != 0) {
		if (errno != ESRCH)
			log_error("worker %u cannot watch the master: %s", heritage->index,
				strerror(errno));
		return 1;
	}
	log_count_left_out(heritage->counters);
	if (prepare_threads(&worker) != 0) {
		log_error("worker %u has no memory for its threads", heritage->index);
		return 1;
	}
	thread_run(&worker.threads[0]);
	CHECK_WHY(worker.running == 0, "the first hub ends last");
	if (worker.threads[0].has_failed)
		worker.has_failed = true;
	for (unsigned i = 0; i < heritage->threads; i++)
		thread_fini(&worker.threads[i]);
	free(worker.threads);
	orphan_end();
	return worker.has_failed ? 1 : 0;
}
