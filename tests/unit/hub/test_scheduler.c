#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	int results[8];
	int errors[8];
	int64_t times[8];
	long count;
	bool flag;
};

static void *
sleep_body(void *argument)
{
	struct record *record = argument;

	for (int i = 0; i < 5; i++) {
		int64_t began = hub_now();

		record->results[i] = hub_sleep((i + 1) * 3 * HUB_MILLISECOND + 1);
		record->times[i] = hub_now() - began;
	}
	return NULL;
}

Test(scheduler, sleep_is_never_early)
{
	struct record record = {0};

	in_hub(sleep_body, &record);
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(record.results[i], 0);
		cr_assert_geq(record.times[i], (i + 1) * 3 * HUB_MILLISECOND + 1);
	}
}

static void *
tick(void *argument)
{
	struct record *record = argument;

	record->results[0] = hub_sleep(2 * HUB_MILLISECOND);
	record->flag = true;
	return NULL;
}

static void *
busy_yield_body(void *argument)
{
	struct record *record = argument;

	hub_detach(hub_spawn(tick, record));
	while (!record->flag && record->count < 100000000) {
		hub_sleep(0);
		record->count++;
	}
	return NULL;
}

Test(scheduler, yielding_for_ever_does_not_starve_timers, .timeout = 60)
{
	struct record record = {0};

	in_hub(busy_yield_body, &record);
	cr_assert(record.flag, "the sleeper never woke");
}

static void *
read_ready_peer(void *argument)
{
	struct record *record = argument;
	char byte;

	while (!record->flag && record->count < 100000000)
		record->count += hub_recv(record->results[4], &byte, 1, MSG_PEEK);
	return NULL;
}

static void *
ready_peer_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *reader;
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	record->results[4] = pair[0];
	hub_send(pair[1], "x", 1, 0);
	hub_detach(hub_spawn(tick, record));
	reader = hub_spawn(read_ready_peer, record);
	hub_join(reader, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(scheduler, a_peer_that_is_always_ready_starves_nobody, .timeout = 60)
{
	struct record record = {0};

	in_hub(ready_peer_body, &record);
	cr_assert(record.flag, "the sleeper never woke");
}

static void *
slow_yielder(void *argument)
{
	struct record *record = argument;

	/* Fast, then suddenly slow. */
	for (int i = 0; i < 100000; i++)
		hub_sleep(0);
	hub_detach(hub_spawn(tick, record));
	for (record->count = 0; !record->flag && record->count < 1000; record->count++) {
		int64_t until = hub_now() + HUB_MILLISECOND;

		while (hub_now() < until)
			continue;
		hub_sleep(0);
	}
	return NULL;
}

Test(scheduler, slow_coroutines_do_not_keep_timers_waiting_after_fast_ones, .timeout = 60)
{
	struct record record = {0};

	in_hub(slow_yielder, &record);
	cr_assert(record.flag);
	cr_assert_leq(record.count, 200, "%ld slow switches before the timer", record.count);
}

struct turns {
	int yields, other_at;
	int due;
	int error;
};

static void *
note_turn(void *argument)
{
	struct turns *turns = argument;

	turns->other_at = turns->due;
	return NULL;
}

static void *
due_body(void *argument)
{
	struct turns *turns = argument;
	struct hub_timeout scope;
	int64_t end = hub_now() + 20 * HUB_MILLISECOND;

	turns->other_at = -1;
	hub_detach(hub_spawn(note_turn, turns));
	/* A call now and then, and no other that could switch. */
	while (hub_now() < end) {
		for (volatile int i = 0; i < 100; i++)
			continue;
		turns->due++;
		hub_yield_due();
	}
	hub_timeout_start(&scope, HUB_MILLISECOND);
	while (hub_yield_due() == 0)
		continue;
	turns->error = errno;
	hub_timeout_stop(&scope);
	return NULL;
}

Test(scheduler, a_long_computation_lets_others_run_when_that_is_due)
{
	struct turns turns = {0};

	in_hub(due_body, &turns);
	cr_assert_gt(turns.other_at, 0, "nobody else ran");
	cr_assert_lt(turns.other_at, turns.due);
	cr_assert_eq(turns.error, ETIMEDOUT);
}
