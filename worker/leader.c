/* What the first hub's coroutines tell all hubs of the worker, and wait for. A command goes only to
 * a hub that runs. */
#include "worker/leader.h"

#include <errno.h>

#include "hub/base/check.h"

void
leader_command(struct worker *worker, enum thread_command command)
{
	for (unsigned i = 0; i < worker->running; i++)
		thread_command(&worker->threads[i], command);
}

void
leader_on_news(struct hub_message *message)
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

void
leader_leave(struct worker *worker, enum thread_command command, int64_t window)
{
	CHECK(window >= 0);
	if (worker->is_leaving)
		return;
	worker->is_leaving = true;
	worker->left = hub_now();
	for (unsigned i = 0; i < worker->running; i++)
		worker->threads[i].drain_window = window;
	leader_command(worker, command);
	hub_event_set(&worker->changed);
}

void
leader_stop(struct worker *worker)
{
	if (!worker->is_to_stop)
		worker->stopped = hub_now();
	worker->is_to_stop = true;
	leader_leave(worker, THREAD_FINISH, 0);
	leader_command(worker, THREAD_FINISH);
	hub_event_set(&worker->changed);
}

void
leader_fail(struct worker *worker)
{
	CHECK(worker->has_failed);
	if (!worker->is_to_stop)
		worker->stopped = hub_now();
	worker->is_to_stop = true;
}

int64_t
leader_deadline(const struct worker *worker, int64_t more)
{
	int64_t from = worker->stopped > worker->closed ? worker->stopped : worker->closed;

	return worker->is_to_stop ? from + more : HUB_FOREVER;
}

void
leader_wait(struct worker *worker, enum thread_news news, int64_t more)
{
	while (worker->news[news] < worker->running) {
		int64_t until = leader_deadline(worker, more);
		struct hub_timeout scope;
		bool is_killed;

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

void
leader_wait_leaving(struct worker *worker)
{
	while (!worker->is_leaving) {
		hub_event_clear(&worker->changed);
		if (hub_event_wait(&worker->changed) != 0)
			return;
	}
}
