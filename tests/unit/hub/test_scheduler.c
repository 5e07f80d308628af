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
	int64_t end = hub_now() + 20 * HUB_MILLISECOND, late = hub_now() + 10 * HUB_SECOND;

	turns->other_at = -1;
	hub_detach(hub_spawn(note_turn, turns));
	/* A call now and then, and no other that could switch. On a busy machine they are few. */
	while (hub_now() < end || (turns->other_at == -1 && hub_now() < late)) {
		for (volatile int i = 0; i < 100; i++)
			continue;
		turns->due++;
		hub_yield_due();
	}
	turns->due++;
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

/* ---- a kill that comes when the time is up, and before the coroutine has run ---- */

static int
time_out_sleeping(int64_t nanoseconds)
{
	return hub_sleep(nanoseconds);
}

static int
time_out_polling(int64_t nanoseconds)
{
	return hub_poll(NULL, 0, (int)(nanoseconds / HUB_MILLISECOND));
}

static int
time_out_selecting(int64_t nanoseconds)
{
	struct hub_event never = {0};
	struct hub_case one = hub_case_event(&never);

	return hub_select(&one, 1, nanoseconds);
}

static int
time_out_awaiting(int64_t nanoseconds)
{
	int ends[2], result, error;

	pipe(ends);
	result = hub_await_fd(ends[0], POLLIN, nanoseconds);
	error = errno;
	close(ends[0]);
	close(ends[1]);
	errno = error;
	return result;
}

static int (*const timed[])(int64_t) = {
	time_out_sleeping, time_out_polling, time_out_selecting, time_out_awaiting};
#define TIMED (sizeof timed / sizeof timed[0])

struct late {
	size_t number;
	int results[TIMED], errors[TIMED];
};

static void *
time_out(void *argument)
{
	struct late *late = argument;

	late->results[late->number] = timed[late->number](2 * HUB_MILLISECOND);
	late->errors[late->number] = errno;
	return NULL;
}

static void *
hold_up(void *argument)
{
	int64_t began = hub_now();

	while (hub_now() - began < 20 * HUB_MILLISECOND)
		continue;
	return argument;
}

static void *
kill_late(void *argument)
{
	struct late *late = argument;

	for (late->number = 0; late->number < TIMED; late->number++) {
		struct hub_coroutine *victim = hub_spawn(time_out, late);

		hub_detach(hub_spawn(hold_up, NULL));
		/* Both times pass while the other one computes; this one is woken first. */
		hub_sleep(HUB_MILLISECOND);
		hub_kill(victim);
		hub_join(victim, NULL);
	}
	return NULL;
}

Test(scheduler, a_kill_is_told_though_the_time_was_up)
{
	struct late late = {0};

	in_hub(kill_late, &late);
	for (size_t i = 0; i < TIMED; i++)
		cr_expect(late.results[i] == -1 && late.errors[i] == ECANCELED, "%zu: %d %s", i,
			late.results[i], strerror(late.errors[i]));
}
