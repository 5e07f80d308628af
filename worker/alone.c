/* A worker without a master. Its sockets are in the way of the next server, so the kernel kills it
 * if it is stuck; and its permits are given up as its connections end. */
#include "worker/alone.h"

#include "hub/base/check.h"
#include "hub/base/log.h"
#include "worker/captured.h"
#include "worker/orphan.h"
#include "worker/queued.h"

/* How often to look whether all hubs are quiet, and how often to give up the permits of connections
 * that have ended. */
#define LOOK_EVERY (10 * HUB_MILLISECOND)
#define GIVE_UP_EVERY (100 * HUB_MILLISECOND)

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

		/* One of the future was overwritten. */
		if (last < oldest && last <= hub_now())
			oldest = last;
	}
	return (oldest > began && oldest != INT64_MAX ? oldest : began) + ORPHAN_TIME;
}

void
alone_drain(struct worker *worker)
{
	const struct worker_heritage *heritage = worker->heritage;
	int64_t began = hub_now(), deadline;
	uint64_t open = count_open(worker);

	orphan_begin();
	captured_end();
	leader_leave(worker, THREAD_ABANDON, heritage->drain_timeout);
	/* Also to hubs that the master has told to drain, which may wait for handshakes. */
	leader_command(worker, THREAD_ABANDON);
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
	orphan_last_until(deadline + LEADER_FINISH_TIME + QUEUED_DISMISS_TIME + ORPHAN_TIME);
	while (hub_now() < deadline) {
		give_up_permits(worker);
		if (hub_sleep(GIVE_UP_EVERY) != 0)
			return;
	}
	open = count_open(worker);
	log_warning("the drain deadline has passed; worker %u closes %lu connection%s",
		heritage->index, (unsigned long)open, log_plural(open, "s"));
	leader_stop(worker);
}
