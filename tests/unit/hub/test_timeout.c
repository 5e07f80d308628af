#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	int results[8];
	int errors[16];
	int count;
	int64_t elapsed;
};

static void *
expire_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;

	hub_timeout_start(&scope, 3 * HUB_MILLISECOND);
	record->errors[0] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->errors[1] = hub_sleep(0) == -1 ? errno : 0;
	record->errors[2] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
	record->results[0] = hub_timeout_stop(&scope);
	record->errors[3] = hub_sleep(0) == -1 ? errno : 0;
	return NULL;
}

Test(timeout, an_expired_scope_fails_every_call_until_it_is_stopped)
{
	static const int expected[] = {ETIMEDOUT, ETIMEDOUT, ETIMEDOUT, 0};
	struct record record = {0};

	in_hub(expire_body, &record);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
	cr_assert_eq(record.results[0], true);
}

static void *
in_time_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;

	hub_timeout_start(&scope, 10 * HUB_SECOND);
	record->errors[0] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
	record->results[0] = hub_timeout_stop(&scope);
	hub_timeout_start(&scope, HUB_FOREVER);
	record->errors[1] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
	record->results[1] = hub_timeout_stop(&scope);
	return NULL;
}

Test(timeout, a_scope_that_does_not_expire_changes_nothing)
{
	struct record record = {{1, 1}, {1, 1}, 0, 0};

	in_hub(in_time_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.results[0], false);
	cr_assert_eq(record.errors[1], 0);
	cr_assert_eq(record.results[1], false);
}

static void *
outer_first_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout outer, inner;

	hub_timeout_start(&outer, 3 * HUB_MILLISECOND);
	hub_timeout_start(&inner, 10 * HUB_SECOND);
	record->errors[0] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->results[0] = hub_timeout_stop(&inner);
	record->errors[1] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->results[1] = hub_timeout_stop(&outer);
	return NULL;
}

Test(timeout, an_outer_scope_ends_inner_calls_and_is_told_apart)
{
	struct record record = {0};

	in_hub(outer_first_body, &record);
	cr_assert_eq(record.errors[0], ETIMEDOUT);
	cr_assert_eq(record.results[0], false, "the inner one has not expired");
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.results[1], true);
}

static void *
inner_first_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout outer, inner;

	hub_timeout_start(&outer, HUB_SECOND);
	hub_timeout_start(&inner, 3 * HUB_MILLISECOND);
	record->errors[0] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->results[0] = hub_timeout_stop(&inner);
	record->errors[1] = hub_sleep(0) == -1 ? errno : 0;
	record->errors[2] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->results[1] = hub_timeout_stop(&outer);
	return NULL;
}

Test(timeout, after_an_inner_scope_the_outer_one_still_runs)
{
	static const int expected[] = {ETIMEDOUT, 0, ETIMEDOUT};
	struct record record = {0};

	in_hub(inner_first_body, &record);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
	cr_assert_eq(record.results[0], true);
	cr_assert_eq(record.results[1], true);
}

/* The outer scope is never lost, in any blocking call of the library. */

static int blocked_pair[2];

static int
block_sleep(void)
{
	return hub_sleep(HUB_FOREVER);
}

static int
block_event(void)
{
	struct hub_event event = {0};

	return hub_event_wait(&event);
}

static void *
sleeper(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static struct hub_coroutine *joined;

static int
block_join(void)
{
	return hub_join(joined, NULL);
}

static int
block_recv(void)
{
	char byte;

	return (int)hub_recv(blocked_pair[0], &byte, 1, 0);
}

static int
block_read(void)
{
	char byte;

	return (int)hub_read(blocked_pair[0], &byte, 1);
}

static int
block_readv(void)
{
	char byte;
	struct iovec part = {&byte, 1};

	return (int)hub_readv(blocked_pair[0], &part, 1);
}

static int
block_recvfrom(void)
{
	char byte;

	return (int)hub_recvfrom(blocked_pair[0], &byte, 1, 0, NULL, NULL);
}

static int
block_recvmsg(void)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return (int)hub_recvmsg(blocked_pair[0], &message, 0);
}

static int
block_wait_fd(void)
{
	return hub_wait_fd(blocked_pair[0], POLLIN);
}

static int
block_send(void)
{
	static char big[1 << 20];
	ssize_t sent;

	/* A part may go out first; the next call fails. */
	do
		sent = hub_send(blocked_pair[0], big, sizeof big, 0);
	while (sent > 0);
	return (int)sent;
}

static int
block_write(void)
{
	static char big[1 << 20];
	ssize_t sent;

	do
		sent = hub_write(blocked_pair[0], big, sizeof big);
	while (sent > 0);
	return (int)sent;
}

static int (*const blocking[])(void) = {block_sleep, block_event, block_join, block_recv,
	block_read, block_readv, block_recvfrom, block_recvmsg, block_wait_fd, block_send,
	block_write};

#define BLOCKING ((int)(sizeof blocking / sizeof blocking[0]))

static void *
every_call_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout outer, inner;

	socketpair(AF_UNIX, SOCK_STREAM, 0, blocked_pair);
	joined = hub_spawn(sleeper, NULL);
	for (int i = 0; i < BLOCKING; i++) {
		hub_timeout_start(&outer, 2 * HUB_MILLISECOND);
		hub_timeout_start(&inner, 60 * HUB_SECOND);
		record->errors[i] = blocking[i]() == -1 ? errno : 0;
		record->count += !hub_timeout_stop(&inner);
		record->count += hub_timeout_stop(&outer);
	}
	hub_close(blocked_pair[0]);
	hub_close(blocked_pair[1]);
	return NULL;
}

Test(timeout, every_blocking_call_obeys_an_outer_scope)
{
	struct record record = {0};

	in_hub(every_call_body, &record);
	for (int i = 0; i < BLOCKING; i++)
		cr_assert_eq(record.errors[i], ETIMEDOUT, "call %d: %d", i, record.errors[i]);
	cr_assert_eq(record.count, 2 * BLOCKING);
}

static void *
zero_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;

	hub_timeout_start(&scope, 0);
	record->errors[0] = hub_sleep(0) == -1 ? errno : 0;
	record->results[0] = hub_timeout_stop(&scope);
	return NULL;
}

Test(timeout, a_scope_of_no_time_has_expired)
{
	struct record record = {0};

	in_hub(zero_body, &record);
	cr_assert_eq(record.errors[0], ETIMEDOUT);
	cr_assert_eq(record.results[0], true);
}

static void *
yield_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;
	int64_t began = hub_now();

	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	while (hub_sleep(0) == 0 && hub_now() - began < 10 * HUB_SECOND)
		continue;
	record->errors[0] = errno;
	record->results[0] = hub_timeout_stop(&scope);
	return NULL;
}

Test(timeout, one_that_only_yields_learns_that_its_time_is_up, .timeout = 60)
{
	struct record record = {0};

	in_hub(yield_body, &record);
	cr_assert_eq(record.errors[0], ETIMEDOUT);
	cr_assert_eq(record.results[0], true);
}

static void *
wrong_order_body(void *argument)
{
	struct hub_timeout outer, inner;

	hub_timeout_start(&outer, HUB_SECOND);
	hub_timeout_start(&inner, HUB_SECOND);
	hub_timeout_stop(&outer);
	return argument;
}

Test(timeout, stopping_out_of_order_is_fatal, .signal = SIGABRT)
{
	hub_run(wrong_order_body, NULL, NULL);
}

static void *
sleepy_generator(void *argument)
{
	struct record *record = argument;

	hub_yield(NULL);
	record->errors[0] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->errors[1] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	hub_yield(NULL);
	record->errors[2] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
	return NULL;
}

static void *
generator_body(void *argument)
{
	struct record *record = argument;
	struct hub_generator *generator = hub_generator_new(sleepy_generator, record);
	struct hub_timeout scope;
	void *value;

	hub_generator_next(generator, &value);
	hub_timeout_start(&scope, 2 * HUB_MILLISECOND);
	hub_generator_next(generator, &value);
	record->results[0] = hub_timeout_stop(&scope);
	hub_generator_next(generator, &value);
	hub_generator_free(generator);
	return NULL;
}

Test(timeout, a_scope_reaches_into_a_generator_that_blocks)
{
	static const int expected[] = {ETIMEDOUT, ETIMEDOUT, 0};
	struct record record = {.errors = {-1, -1, -1}};

	in_hub(generator_body, &record);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
	cr_assert_eq(record.results[0], true);
}

static void *
expired_before_body(void *argument)
{
	struct record *record = argument;
	struct hub_generator *generator = hub_generator_new(sleepy_generator, record);
	struct hub_timeout scope;
	void *value;

	hub_generator_next(generator, &value);
	hub_timeout_start(&scope, 0);
	hub_generator_next(generator, &value);
	hub_timeout_stop(&scope);
	hub_generator_next(generator, &value);
	hub_generator_free(generator);
	return NULL;
}

Test(timeout, a_scope_that_has_expired_before_reaches_into_a_generator_too)
{
	static const int expected[] = {ETIMEDOUT, ETIMEDOUT, 0};
	struct record record = {.errors = {-1, -1, -1}};

	in_hub(expired_before_body, &record);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
}

static void *
inner_generator(void *argument)
{
	struct hub_timeout scope;

	/* Open across a yield: it is no business of who takes the value. */
	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	hub_yield(NULL);
	hub_timeout_stop(&scope);
	return argument;
}

static void *
outer_generator(void *argument)
{
	struct record *record = argument;
	struct hub_generator *inner = hub_generator_new(inner_generator, NULL);
	void *value;

	hub_generator_next(inner, &value);
	record->errors[0] = hub_sleep(20 * HUB_MILLISECOND) == -1 ? errno : 0;
	hub_generator_free(inner);
	return NULL;
}

static void *
pipeline_body(void *argument)
{
	struct hub_generator *outer = hub_generator_new(outer_generator, argument);
	void *value;

	hub_generator_next(outer, &value);
	hub_generator_free(outer);
	return NULL;
}

Test(timeout, a_scope_in_a_generator_does_not_reach_its_consumer)
{
	struct record record = {.errors = {-1}};

	in_hub(pipeline_body, &record);
	cr_assert_eq(record.errors[0], 0);
}

static void *
shield_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout outer, shield;

	hub_timeout_start(&outer, 2 * HUB_MILLISECOND);
	hub_shield_start(&shield);
	record->errors[0] = hub_sleep(6 * HUB_MILLISECOND) == -1 ? errno : 0;
	hub_shield_stop(&shield);
	record->errors[1] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->results[0] = hub_timeout_stop(&outer);
	return NULL;
}

Test(timeout, a_shield_holds_off_the_scopes_around_it_until_it_is_stopped)
{
	struct record record = {0};

	in_hub(shield_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.results[0], true);
}

static void *
sleep_for(void *argument)
{
	hub_sleep(*(int64_t *)argument);
	return "done";
}

static void *
with_body(void *argument)
{
	int64_t long_time = 60 * HUB_SECOND, short_time = HUB_MILLISECOND;
	char **texts = argument;

	texts[0] = hub_with_timeout(HUB_MILLISECOND, sleep_for, &long_time, "late");
	texts[1] = hub_with_timeout(60 * HUB_SECOND, sleep_for, &short_time, "late");
	return NULL;
}

Test(timeout, with_timeout_gives_a_default_value)
{
	char *texts[2] = {0};

	in_hub(with_body, texts);
	cr_assert_str_eq(texts[0], "late");
	cr_assert_str_eq(texts[1], "done");
}

static void *
coarse_body(void *argument)
{
	int64_t *elapsed = argument, start = hub_now();
	struct hub_timeout scope;

	hub_timeout_start(&scope, HUB_SECOND);
	hub_sleep(HUB_FOREVER);
	hub_timeout_stop(&scope);
	*elapsed = hub_now() - start;
	return NULL;
}

Test(timeout, a_long_scope_is_never_early)
{
	int64_t elapsed = 0;

	in_hub(coarse_body, &elapsed);
	cr_assert_geq(elapsed, HUB_SECOND);
}

static void *
never_yields(void *argument)
{
	int64_t *end = argument;

	while (hub_sleep(0) == 0 && hub_now() < *end)
		continue;
	return NULL;
}

static void *
endless_body(void *argument)
{
	struct record *record = argument;
	int64_t end = hub_now() + 5 * HUB_SECOND;
	struct hub_generator *generator = hub_generator_new(never_yields, &end);
	struct hub_timeout scope;
	void *value;

	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	hub_generator_next(generator, &value);
	record->results[0] = hub_timeout_stop(&scope);
	record->results[1] = hub_now() < end;
	hub_generator_free(generator);
	return NULL;
}

Test(timeout, reaches_a_generator_that_never_suspends)
{
	struct record record = {0};

	in_hub(endless_body, &record);
	cr_assert(record.results[0]);
	cr_assert(record.results[1]);
}

/* ---- times at either end of what an int64_t holds ---- */

static int
sleep_so_long(int64_t nanoseconds)
{
	return hub_sleep(nanoseconds) == 0 ? 0 : errno;
}

static int
await_so_long(int64_t nanoseconds)
{
	int ends[2], error;

	pipe(ends);
	error = hub_await_fd(ends[0], POLLIN, nanoseconds) == 0 ? 0 : errno;
	hub_close(ends[0]);
	close(ends[1]);
	return error;
}

static int
select_so_long(int64_t nanoseconds)
{
	struct hub_event never = {0};
	struct hub_case one = hub_case_event(&never);

	return hub_select(&one, 1, nanoseconds) == -1 && errno != EAGAIN ? errno : 0;
}

static void *
start_late(void *argument)
{
	return argument;
}

static int
spawn_so_late(int64_t nanoseconds)
{
	struct hub_coroutine *late = hub_spawn_later(nanoseconds, start_late, NULL);
	int error = hub_join(late, NULL) == 0 ? 0 : errno;

	if (error != 0) {
		hub_kill(late);
		hub_detach(late);
	}
	return error;
}

static int
expire_so_late(int64_t nanoseconds)
{
	struct hub_timeout scope;
	int error;

	hub_timeout_start(&scope, nanoseconds);
	error = hub_sleep(HUB_FOREVER) == 0 ? 0 : errno;
	return hub_timeout_stop(&scope) ? 0 : error;
}

static const struct timed {
	const char *name;
	/* Returns 0 when that time has passed, or an errno. */
	int (*call)(int64_t nanoseconds);
} timed[] = {
	{"hub_sleep", sleep_so_long},
	{"hub_await_fd", await_so_long},
	{"hub_select", select_so_long},
	{"hub_spawn_later", spawn_so_late},
	{"hub_timeout_start", expire_so_late},
};

enum { TIMED = sizeof timed / sizeof timed[0] };

static const struct {
	int64_t time;
	int expected; /* of a call in a scope that expires */
} times[] = {
	{INT64_MIN, 0},
	{INT64_MIN + 1, 0},
	{-1, 0},
	{0, 0},
	{INT64_MAX - 1, ETIMEDOUT},
	{INT64_MAX, ETIMEDOUT},
};

enum { TIMES = sizeof times / sizeof times[0] };

static void *
all_times_body(void *argument)
{
	int(*errors)[TIMES] = argument;
	struct hub_timeout scope;

	for (int i = 0; i < TIMED; i++)
		for (int j = 0; j < TIMES; j++) {
			hub_timeout_start(&scope,
				times[j].expected == 0 ? 10 * HUB_SECOND : 2 * HUB_MILLISECOND);
			errors[i][j] = timed[i].call(times[j].time);
			hub_timeout_stop(&scope);
		}
	return NULL;
}

Test(timeout, any_time_may_be_given, .timeout = 30)
{
	int errors[TIMED][TIMES];

	in_hub(all_times_body, errors);
	for (int i = 0; i < TIMED; i++)
		for (int j = 0; j < TIMES; j++)
			cr_expect_eq(errors[i][j], times[j].expected, "%s, %lld: %d", timed[i].name,
				(long long)times[j].time, errors[i][j]);
}
