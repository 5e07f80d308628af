#include "worker/connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define LINGER HUB_SECOND
#define LINGER_FINISHING (200 * HUB_MILLISECOND)
#define LOOK_LEAST (20 * HUB_MILLISECOND)
#define LOOK_MOST HUB_SECOND
#define DRAIN_LOOK (20 * HUB_MILLISECOND)
/* A connection that has exchanged something and then been silent for so long is idle. */
#define IDLE_LEAST (500 * HUB_MILLISECOND)
/* All idle ones are told to end within this share of the window. */
#define DRAIN_SHARE 0.8

/* ---- the end of a connection ---- */

/* Reads and forgets what has arrived. Returns whether more may come. */
static bool
discard(int client)
{
	char bytes[4096];
	ssize_t length;

	do
		length = recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
	while (length > 0 || (length == -1 && errno == EINTR));
	return length == -1 && errno == EAGAIN;
}

void
connection_serve(int client, void *context)
{
	const struct worker_thread *thread = context;
	int64_t pause = HUB_MILLISECOND, left;

	thread->heritage->serve(client, thread->heritage->context);
	if (!discard(client) || shutdown(client, SHUT_WR) != 0)
		return;
	left = thread_is_commanded(thread, THREAD_FINISH) ? LINGER_FINISHING : LINGER;
	/* Not by waiting to receive, which is what an idle connection does. */
	while (left > 0 && hub_sleep(pause) == 0 && discard(client)) {
		left -= pause;
		pause *= 2;
	}
}

static void
visit_all(struct worker_thread *thread,
	void (*visit)(const struct hub_connection *connection, void *context), void *context)
{
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		hub_server_visit(thread->acceptors[i], visit, context);
}

/* ---- timeouts ---- */

struct timeouts {
	struct worker_thread *thread;
	int64_t now;
};

/* For how long the peer has taken nothing. That it makes room for the sender again says too little:
 * the kernel tells so only when a third of its buffer is free. */
static int64_t
stuck_for(const struct hub_connection *connection, int64_t now)
{
	struct hub_mark *mark = connection->mark;
	int unacknowledged = 0;

	if (ioctl(connection->client, SIOCOUTQ, &unacknowledged) != 0)
		return now - connection->since;
	if (mark->since < connection->since || mark->value != (uint64_t)unacknowledged)
		*mark = (struct hub_mark){(uint64_t)unacknowledged, now};
	return now - mark->since;
}

static void
check_timeouts(const struct hub_connection *connection, void *context)
{
	const struct timeouts *timeouts = context;
	const struct worker_heritage *heritage = timeouts->thread->heritage;
	int64_t waited = timeouts->now - connection->since;

	if (connection->activity == HUB_ACTIVITY_RECEIVING && heritage->idle_timeout > 0 &&
		waited >= heritage->idle_timeout) {
		counters_add(&timeouts->thread->row->idle_closed, 1);
		hub_end_input(connection->client);
	} else if (connection->activity == HUB_ACTIVITY_SENDING && heritage->write_timeout > 0 &&
		   stuck_for(connection, timeouts->now) >= heritage->write_timeout) {
		/* What the peer does not read is of no use to it any more, and is not kept. */
		struct linger at_once = {1, 0};

		counters_add(&timeouts->thread->row->write_closed, 1);
		setsockopt(connection->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		shutdown(connection->client, SHUT_RDWR);
	}
}

/* How often to look, so that a timeout is late by an eighth at most. */
static int64_t
look_every(const struct worker_heritage *heritage)
{
	int64_t shortest = HUB_FOREVER;

	if (heritage->idle_timeout > 0)
		shortest = heritage->idle_timeout;
	if (heritage->write_timeout > 0 && heritage->write_timeout < shortest)
		shortest = heritage->write_timeout;
	shortest /= 8;
	return shortest < LOOK_LEAST ? LOOK_LEAST : shortest > LOOK_MOST ? LOOK_MOST : shortest;
}

void *
connection_run_timeouts(void *argument)
{
	struct timeouts timeouts = {.thread = argument};

	while (hub_sleep(look_every(timeouts.thread->heritage)) == 0) {
		timeouts.now = hub_now();
		visit_all(timeouts.thread, check_timeouts, &timeouts);
	}
	return NULL;
}

/* ---- draining ---- */

struct drain {
	int64_t now;
	bool is_finishing;
	size_t told;  /* connections that were told to end */
	size_t quota; /* how many may have been by now */
};

static void
tell_to_end(const struct hub_connection *connection, void *context)
{
	struct drain *drain = context;
	bool is_idle = connection->has_received && drain->now - connection->since >= IDLE_LEAST;

	if (connection->activity != HUB_ACTIVITY_RECEIVING ||
		!(drain->is_finishing || (is_idle && drain->told < drain->quota)))
		return;
	drain->told++;
	hub_end_input(connection->client);
}

void *
connection_run_drain(void *argument)
{
	struct worker_thread *thread = argument;
	double open = (double)hub_pool_count(&thread->pool);
	double window = (double)thread->drain_window * DRAIN_SHARE;
	int64_t began = hub_now();
	struct drain drain = {0};

	do {
		double passed;

		drain.now = hub_now();
		drain.is_finishing = thread_is_commanded(thread, THREAD_FINISH);
		passed = window > 0 ? (double)(drain.now - began) / window : 1;
		drain.quota = passed >= 1 ? SIZE_MAX : (size_t)(open * passed) + 1;
		visit_all(thread, tell_to_end, &drain);
	} while (hub_sleep(DRAIN_LOOK) == 0);
	return NULL;
}
