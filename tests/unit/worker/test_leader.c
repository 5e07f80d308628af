#include "worker/leader.h"

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct worker worker;

static void *
leave_twice(void *unused)
{
	static struct worker_thread thread;

	hub_event_init(&worker.changed);
	worker.threads = &thread;
	leader_leave(&worker, THREAD_DRAIN, HUB_SECOND);
	leader_leave(&worker, THREAD_HANDOVER, 2 * HUB_SECOND);
	leader_wait_leaving(&worker);
	leader_stop(&worker);
	return unused;
}

Test(leader, who_was_told_to_leave_may_only_be_told_to_stop)
{
	in_hub(leave_twice, NULL);
	cr_assert(worker.is_leaving && worker.is_to_stop);
	cr_assert_leq(worker.left, worker.stopped);
	cr_assert(hub_event_is_set(&worker.changed));
}

static void *
report(void *unused)
{
	trace_say("reports");
	worker.news[THREAD_QUIET]++;
	hub_event_set(&worker.changed);
	return unused;
}

static void *
wait_for_hubs(void *unused)
{
	struct hub_coroutine *reporter = hub_spawn(report, NULL);

	hub_event_init(&worker.changed);
	worker.running = 1;
	leader_wait(&worker, THREAD_QUIET, 0);
	trace_say("all are quiet");
	/* Nobody reports this, and the worker is to stop. */
	worker.is_to_stop = true;
	worker.stopped = hub_now();
	leader_wait(&worker, THREAD_IDLE, 0);
	trace_say("stops");
	hub_join(reporter, NULL);
	return unused;
}

Test(leader, waits_for_all_hubs_until_the_worker_has_to_stop)
{
	in_hub(wait_for_hubs, NULL);
	EXPECT_TRACE("reports, all are quiet, stops");
}

static void *
wait_after_failure(void *unused)
{
	hub_event_init(&worker.changed);
	worker.running = 2;
	worker.has_failed = true;
	leader_fail(&worker);
	trace_whether("a deadline", leader_deadline(&worker, 0) != HUB_FOREVER);
	leader_wait(&worker, THREAD_CLOSED, 10 * HUB_MILLISECOND);
	trace_say("goes on");
	return unused;
}

/* Its hubs may wait in a hook that never returns. */
Test(leader, that_cannot_serve_does_not_wait_for_ever, .timeout = 30)
{
	in_hub(wait_after_failure, NULL);
	EXPECT_TRACE("a deadline, goes on");
}
