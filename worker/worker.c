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
#include "worker/channel.h"
#include "worker/crash.h"
#include "worker/flush.h"
#include "worker/handoff.h"
#include "worker/orphan.h"
#include "worker/queued.h"
#include "worker/spare.h"
#include "worker/stacks.h"
#include "worker/thread.h"

/* After STOP, how long connections have to end at a message boundary before they are killed. */
#define FINISH_TIME (500 * HUB_MILLISECOND)
/* How often to look for the end of the last connection, if no news comes. */
#define REST_MOST (100 * HUB_MILLISECOND)
/* Without a master: how often to look whether all hubs are quiet, and how often to give up the
 * permits of connections that have ended. */
#define LOOK_EVERY (10 * HUB_MILLISECOND)
#define GIVE_UP_EVERY (100 * HUB_MILLISECOND)

struct worker {
	const struct worker_heritage *heritage;
	struct worker_thread *threads;
	/* Hubs that have started, the first included; 0 once they end. */
	unsigned running;
	unsigned news[THREAD_NEWS_MAX]; /* how many hubs have reported each kind of news */
	bool is_leaving;
	bool is_last; /* the worker leaves without a successor (DRAIN) */
	int64_t left; /* clock at which is_leaving was set */
	bool is_to_stop;
	int64_t stopped;          /* clock at which is_to_stop was set */
	struct hub_event changed; /* set whenever one of the fields above changes */
	bool has_failed;
};

static void
command_all(struct worker *worker, enum thread_command command)
{
	for (unsigned i = 0; i < worker->running; i++)
		thread_command(&worker->threads[i], command);
}

/* Runs in the first hub's loop: a hub of the worker, perhaps the first itself, has news. */
static void
on_news(struct hub_message *message)
{
	struct thread_order *order = CONTAINER_OF(message, struct thread_order, message);
	struct worker *worker = order->thread->leader;

	worker->news[order->what]++;
	CHECK_WHY(worker->news[order->what] <= worker->heritage->threads,
		"each hub reports each news once");
	CHECK_WHY(worker->news[THREAD_IDLE] <= worker->news[THREAD_QUIET],
		"a hub that still accepts is not idle");
	hub_event_set(&worker->changed);
}

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

static void
leave(struct worker *worker, enum thread_command command, int64_t window)
{
	CHECK(window >= 0);
	if (worker->is_leaving)
		return;
	worker->is_leaving = true;
	worker->left = hub_now();
	for (unsigned i = 0; i < worker->running; i++)
		worker->threads[i].drain_window = window;
	command_all(worker, command);
	hub_event_set(&worker->changed);
}

static void
stop(struct worker *worker)
{
	if (!worker->is_to_stop)
		worker->stopped = hub_now();
	worker->is_to_stop = true;
	leave(worker, THREAD_FINISH, 0);
	command_all(worker, THREAD_FINISH);
	hub_event_set(&worker->changed);
}

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
	else if (worker->is_last && !worker->is_to_stop && worker->running > 0)
		queued_adopt(first, listener, address);
	else
		close(listener);
}

static void
on_message(struct worker *worker, const struct channel_message *message, int descriptor)
{
	switch (message->kind) {
	case CHANNEL_ACCEPT:
		CHECK_WHY(!worker->is_leaving, "who was told to leave is not told to accept");
		command_all(worker, THREAD_ACCEPT);
		break;
	case CHANNEL_ADOPT:
		if (descriptor != -1)
			adopt(worker, message, descriptor);
		return;
	case CHANNEL_HANDOVER:
		leave(worker, THREAD_HANDOVER, message->value);
		break;
	case CHANNEL_DRAIN:
		worker->is_last = !worker->is_leaving;
		leave(worker, THREAD_DRAIN, message->value);
		break;
	case CHANNEL_STOP:
		stop(worker);
		break;
	case CHANNEL_DUMP:
		if (descriptor != -1 &&
			stacks_write(worker->threads, worker->running, descriptor, message->value))
			return;
		thread_report(&worker->threads[0], CHANNEL_DUMP_MISSED, message->value);
		break;
	case CHANNEL_REOPEN:
		if (descriptor != -1)
			dup2(descriptor, STDERR_FILENO);
		else
			thread_report(&worker->threads[0], CHANNEL_REOPEN_MISSED, 0);
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

/* ---- without a master ---- */

static uint64_t
count_open(const struct worker *worker)
{
	uint64_t open = 0;

	for (unsigned i = 0; i < worker->heritage->threads; i++)
		open += counters_open(&worker->heritage->rows[i]);
	return open;
}

/* Whether every open connection has one of the permits that were granted to the worker. Connections
 * are counted first: one that ends meanwhile takes its permit along. */
static bool
are_connections_granted(const struct worker *worker)
{
	int64_t open = (int64_t)count_open(worker);

	return open <= __atomic_load_n(&worker->heritage->rows[0].granted, __ATOMIC_RELAXED);
}

/* Only this worker still writes the permits of its rows. Permits that it gives up, another master
 * of the segment grants to its own workers. */
static void
give_up_permits(const struct worker *worker)
{
	struct worker_row *rows = worker->heritage->rows;
	int64_t free = 0;

	for (unsigned i = 0; i < worker->heritage->threads; i++)
		free += counters_take_permits(&rows[i], INT64_MAX);
	__atomic_fetch_sub(&rows[0].granted, free, __ATOMIC_RELAXED);
	DCHECK(are_connections_granted(worker));
}

/* When the kernel is to kill the process, whose sockets are in the way of the next server:
 * ORPHAN_TIME after the oldest heartbeat of its hubs, but no sooner than ORPHAN_TIME after the
 * drain began. */
static int64_t
stuck_at(const struct worker *worker, int64_t began)
{
	int64_t oldest = INT64_MAX;

	CHECK_WHY(worker->running > 0, "without a hub no heartbeat is the oldest");
	for (unsigned i = 0; i < worker->running; i++) {
		int64_t last =
			__atomic_load_n(&worker->heritage->rows[i].heartbeat, __ATOMIC_RELAXED);

		oldest = last < oldest ? last : oldest;
	}
	return (oldest > began ? oldest : began) + ORPHAN_TIME;
}

static void
drain_alone(struct worker *worker)
{
	const struct worker_heritage *heritage = worker->heritage;
	int64_t began = hub_now(), deadline;
	uint64_t open = count_open(worker);

	orphan_begin();
	leave(worker, THREAD_ABANDON, heritage->drain_timeout);
	/* Also to hubs that the master has told to drain, which may wait for handshakes. */
	command_all(worker, THREAD_ABANDON);
	deadline = worker->left + heritage->drain_timeout;
	/* A worker that never accepted, such as one of an upgrade that failed, leaves without a
	 * message. */
	if (thread_is_commanded(&worker->threads[0], THREAD_ACCEPT))
		log_warning("the master is gone; worker %u drains %lu connection%s, at most %.1f s",
			heritage->index, (unsigned long)open, log_plural(open, "s"),
			(double)(deadline - hub_now()) / (double)HUB_SECOND);
	while (worker->news[THREAD_QUIET] < worker->running) {
		orphan_last_until(stuck_at(worker, began));
		if (hub_sleep(LOOK_EVERY) != 0)
			return;
	}
	orphan_last_until(deadline + FINISH_TIME + QUEUED_DISMISS_TIME + ORPHAN_TIME);
	while (hub_now() < deadline) {
		give_up_permits(worker);
		if (hub_sleep(GIVE_UP_EVERY) != 0)
			return;
	}
	open = count_open(worker);
	log_warning("the drain deadline has passed; worker %u closes %lu connection%s",
		heritage->index, (unsigned long)open, log_plural(open, "s"));
	stop(worker);
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
			if (hub_sleep(LOOK_EVERY) != 0)
				return NULL;
			continue;
		}
		result = channel_receive(worker->heritage->channel, &message, &descriptor);
		if (result < 0) {
			drain_alone(worker);
			return NULL;
		}
		if (result > 0)
			on_message(worker, &message, descriptor);
		/* The message's descriptor may have taken the spare one's place. */
		spare_keep();
	}
}

/* ---- leading ---- */

/* Waits until all hubs have reported that news, or until more nanoseconds after STOP. */
static void
wait_news(struct worker *worker, enum thread_news news, int64_t more)
{
	int64_t until = HUB_FOREVER;

	while (worker->news[news] < worker->running) {
		struct hub_timeout scope;
		bool is_killed;

		if (worker->is_to_stop && until == HUB_FOREVER)
			until = worker->stopped + more;
		if (until <= hub_now())
			return;
		hub_event_clear(&worker->changed);
		hub_timeout_start(&scope, until == HUB_FOREVER ? HUB_FOREVER : until - hub_now());
		is_killed = hub_event_wait(&worker->changed) != 0 && errno == ECANCELED;
		hub_timeout_stop(&scope);
		if (is_killed)
			return;
	}
}

static void
wait_leaving(struct worker *worker)
{
	while (!worker->is_leaving) {
		hub_event_clear(&worker->changed);
		if (hub_event_wait(&worker->changed) != 0)
			return;
	}
}

/* Waits until adopted queues have ended, too, and the connections from there: they may have come
 * after all hubs were quiet, or idle. */
static void
wait_adopted(const struct worker *worker)
{
	struct worker_thread *first = &worker->threads[0];

	while (queued_has_adopted(first) || hub_pool_count(&first->pool) > 0 ||
		!list_is_empty(&first->parcels)) {
		int64_t most = FINISH_TIME;

		if (queued_has_adopted(first))
			most += QUEUED_DISMISS_TIME;
		if (worker->is_to_stop && hub_now() - worker->stopped >= most)
			return;
		if (thread_rest(first, REST_MOST) != 0)
			return;
	}
}

/* The leader's coroutine: when it returns, the worker ends. The first hub ends last, because the
 * others post to its mailbox; and no hub ends before all are quiet, because hubs hand each other
 * connections. */
static void *
lead(void *argument)
{
	struct worker *worker = argument;
	struct hub_coroutine *receiver;
	unsigned running;

	worker->running = 1;
	worker->has_failed = start_others(worker) != 0;
	for (unsigned i = 0; i < worker->running; i++)
		worker->threads[i].sibling_count = worker->running;
	receiver = worker->has_failed ? NULL : hub_spawn(receive_messages, worker);
	if (receiver != NULL) {
		hub_set_name(receiver, "master channel");
		hub_detach(receiver);
		thread_report(&worker->threads[0], CHANNEL_READY, 0);
		wait_leaving(worker);
		/* Includes the time in which clients that are still queued are let go. */
		wait_news(worker, THREAD_QUIET, FINISH_TIME + QUEUED_DISMISS_TIME);
		command_all(worker, THREAD_EMPTY);
		wait_news(worker, THREAD_IDLE, FINISH_TIME);
		wait_adopted(worker);
		if (worker->news[THREAD_QUIET] < worker->running) {
			flush_before_exit(1);
			_exit(1); /* a hub is stuck, and its thread cannot be joined */
		}
	} else {
		worker->has_failed = true;
	}
	/* From here on the receiver commands no hub. */
	running = worker->running;
	worker->running = 0;
	for (unsigned i = 1; i < running; i++) {
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
	for (unsigned i = 0; i < heritage->threads; i++) {
		worker->threads[i].on_news = on_news;
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
