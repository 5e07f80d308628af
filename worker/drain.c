/* Draining looks at all connections every 20 ms and ends the input of idle ones, not faster than
 * the window allows. A connection is idle if it has exchanged something, nothing has arrived since
 * the last answer, no byte has moved for half a second, and the service waits to receive. All other
 * connections, also those without a first byte or with half a request, have until the deadline. */
#include "worker/drain.h"

#include "hub/base/check.h"
#include "worker/acceptor.h"
#include "worker/access.h"
#include "worker/idle.h"
#include "worker/state.h"

#define DRAIN_LOOK (20 * HUB_MILLISECOND)
#define IDLE_LEAST (500 * HUB_MILLISECOND)
/* All idle connections end within this share of the drain window. */
#define DRAIN_SHARE 0.8

/* One look at all connections; told is kept from look to look. */
struct drain {
	int64_t now;
	bool is_finishing;
	size_t told;  /* connections whose input was ended */
	size_t quota; /* how many may have been ended by now */
};

static bool
has_paused(const struct hub_connection *connection, int64_t now)
{
	/* A service may have dealt with the last request (hubbub_idle) without an answer. */
	bool or_asked = !connection->is_settled;

	return connection->has_received && !connection->is_asked &&
	       idle_is(connection, now, IDLE_LEAST) &&
	       !idle_is_doubtful(connection->client, IDLE_LEAST, or_asked);
}

static void
tell_to_end(const struct hub_connection *connection, void *context)
{
	struct drain *drain = context;

	if (connection->input_is_ended)
		return;
	if (!drain->is_finishing &&
		(drain->told >= drain->quota || !has_paused(connection, drain->now)))
		return;
	drain->told++;
	/* Not of one that has been ended before, by a timeout. */
	if (connection->mark->note == ACCESS_SERVICE)
		connection->mark->note = drain->is_finishing ? ACCESS_DEADLINE : ACCESS_DRAIN;
	hub_end_input(connection->client);
}

void *
drain_run(void *argument)
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
		acceptor_visit_all(thread, tell_to_end, &drain);
		CHECK_WHY(drain.is_finishing || drain.told <= drain.quota,
			"idle connections end spread over the window");
	} while (hub_sleep(DRAIN_LOOK) == 0);
	return NULL;
}

void
drain_kill(struct worker_thread *thread)
{
	hub_pool_kill(&thread->pool);
	while (hub_pool_count(&thread->pool) > 0 && !thread_is_commanded(thread, THREAD_STOP))
		if (thread_rest(thread, DRAIN_LOOK) != 0)
			break;
	thread->has_served = true;
	hub_event_set(&thread->command);
}
