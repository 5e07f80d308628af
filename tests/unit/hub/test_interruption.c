/* Every blocking call of the library, generically: the outer scope is never lost, a kill always
 * ends it, and in a scope that has expired nothing blocks or happens. */
#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"
#include "tests/unit/hub/blocking.h"

enum { CALLS_MOST = 120 };

static const struct blocking_call *calls[CALLS_MOST];
static int call_count;

struct record {
	int results[CALLS_MOST], errors[CALLS_MOST], inner[CALLS_MOST], outer[CALLS_MOST];
	int killed_results[CALLS_MOST], killed_errors[CALLS_MOST];
	int expired_results[CALLS_MOST], expired_errors[CALLS_MOST];
	int elapsed_too_long;
	int current;
};

static void
gather(const struct blocking_call *call)
{
	for (; call->name != NULL && call_count < CALLS_MOST; call++)
		calls[call_count++] = call;
}

static void *
be_busy(void *argument)
{
	while (hub_sleep(0) == 0)
		continue;
	return argument;
}

static void *
killed_call(void *argument)
{
	struct record *record = argument;
	int index = record->current;

	record->killed_results[index] = calls[index]->call();
	record->killed_errors[index] = errno;
	return NULL;
}

static void
try_call(struct record *record, int index)
{
	struct hub_timeout outer, inner;
	struct hub_coroutine *victim;
	int64_t began = hub_now();

	hub_timeout_start(&outer, 2 * HUB_MILLISECOND);
	hub_timeout_start(&inner, 60 * HUB_SECOND);
	record->results[index] = calls[index]->call();
	record->errors[index] = errno;
	record->inner[index] = hub_timeout_stop(&inner);
	record->outer[index] = hub_timeout_stop(&outer);
	record->current = index;
	victim = hub_spawn(killed_call, record);
	until_it_waits(victim);
	hub_kill(victim);
	hub_join(victim, NULL);
	hub_timeout_start(&outer, 0);
	record->expired_results[index] = calls[index]->call();
	record->expired_errors[index] = errno;
	hub_timeout_stop(&outer);
	if (hub_now() - began > 30 * HUB_SECOND)
		record->elapsed_too_long = index + 1;
}

static void *
every_body(void *argument)
{
	hub_detach(hub_spawn(be_busy, NULL));
	blocking_coroutines_begin();
	blocking_descriptors_begin();
	blocking_shared_begin();
	blocking_streams_begin();
	blocking_threads_begin();
	for (int i = 0; i < call_count; i++)
		try_call(argument, i);
	blocking_threads_end();
	blocking_streams_end();
	blocking_shared_end();
	blocking_descriptors_end();
	blocking_coroutines_end();
	return NULL;
}

Test(interruption, reaches_every_blocking_call)
{
	static struct record record;

	gather(blocking_coroutines);
	gather(blocking_descriptors);
	gather(blocking_shared);
	gather(blocking_streams);
	gather(blocking_threads);
	cr_assert_lt(call_count, CALLS_MOST);
	blocking_threads_prepare();
	cr_assert_eq(hub_run(every_body, &record, NULL), 0);
	for (int i = 0; i < call_count; i++) {
		cr_assert_eq(record.results[i], -1, "%s: %d", calls[i]->name, record.results[i]);
		cr_assert_eq(record.errors[i], ETIMEDOUT, "%s: %s", calls[i]->name,
			strerror(record.errors[i]));
		cr_assert_not(
			record.inner[i], "%s: the inner scope says it expired", calls[i]->name);
		cr_assert(record.outer[i], "%s: the outer scope is lost", calls[i]->name);
		cr_assert_eq(record.killed_results[i], -1, "%s", calls[i]->name);
		cr_assert_eq(record.killed_errors[i], ECANCELED, "%s: %s", calls[i]->name,
			strerror(record.killed_errors[i]));
		cr_assert_eq(record.expired_results[i], -1, "%s", calls[i]->name);
		cr_assert_eq(record.expired_errors[i], ETIMEDOUT, "%s: %s", calls[i]->name,
			strerror(record.expired_errors[i]));
	}
	cr_assert_eq(record.elapsed_too_long, 0);
}
