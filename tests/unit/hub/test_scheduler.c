/* Who runs when: sleepers, those who only yield, peers that are always ready, and late kills. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct record {
	int fd;
	long count; /* of what the others have done meanwhile */
	bool has_ticked;
};

static void *
sleep_body(void *argument)
{
	for (int i = 1; i <= 5; i++) {
		int64_t time = i * 3 * HUB_MILLISECOND + 1, began = hub_now();

		trace_call("sleep", hub_sleep(time));
		trace_whether("early", hub_now() - began < time);
	}
	return argument;
}

Test(scheduler, sleep_is_never_early)
{
	in_hub(sleep_body, NULL);
	cr_assert_str_eq(trace_text(),
		"sleep 0, not early, sleep 0, not early, sleep 0, not early, sleep 0, "
		"not early, sleep 0, not early");
}

static void *
tick(void *argument)
{
	struct record *record = argument;

	hub_sleep(2 * HUB_MILLISECOND);
	record->has_ticked = true;
	return NULL;
}

static void *
busy_yield_body(void *argument)
{
	struct record *record = argument;

	hub_detach(hub_spawn(tick, record));
	while (!record->has_ticked && record->count < 100000000) {
		hub_sleep(0);
		record->count++;
	}
	return NULL;
}

Test(scheduler, yielding_for_ever_does_not_starve_timers, .timeout = 60)
{
	struct record record = {0};

	in_hub(busy_yield_body, &record);
	cr_assert(record.has_ticked, "the sleeper never woke");
}

static void *
read_ready_peer(void *argument)
{
	struct record *record = argument;
	char byte;

	while (!record->has_ticked && record->count < 100000000)
		record->count += hub_recv(record->fd, &byte, 1, MSG_PEEK);
	return NULL;
}

static void *
ready_peer_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *reader;
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	record->fd = pair[0];
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
	cr_assert(record.has_ticked, "the sleeper never woke");
}

static void *
slow_yielder(void *argument)
{
	struct record *record = argument;

	/* Fast, then suddenly slow. */
	for (int i = 0; i < 100000; i++)
		hub_sleep(0);
	hub_detach(hub_spawn(tick, record));
	for (record->count = 0; !record->has_ticked && record->count < 1000; record->count++) {
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
	cr_assert(record.has_ticked);
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

struct timed {
	const char *name;
	int (*call)(int64_t nanoseconds);
};

static struct timed timed[] = {
	{"sleep", time_out_sleeping},
	{"poll", time_out_polling},
	{"select", time_out_selecting},
	{"await", time_out_awaiting},
};

enum { TIMED = sizeof timed / sizeof timed[0] };

static void *
time_out(void *argument)
{
	const struct timed *one = argument;

	trace_call(one->name, one->call(2 * HUB_MILLISECOND));
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
	for (int i = 0; i < TIMED; i++) {
		struct hub_coroutine *victim = hub_spawn(time_out, &timed[i]);

		hub_detach(hub_spawn(hold_up, NULL));
		/* Both times pass while the other one computes; this one is woken first. */
		hub_sleep(HUB_MILLISECOND);
		hub_kill(victim);
		hub_join(victim, NULL);
	}
	return argument;
}

Test(scheduler, a_kill_is_told_though_the_time_was_up)
{
	in_hub(kill_late, NULL);
	cr_assert_str_eq(
		trace_text(), "sleep ECANCELED, poll ECANCELED, select ECANCELED, await ECANCELED");
}
